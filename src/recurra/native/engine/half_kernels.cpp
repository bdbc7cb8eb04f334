// All kernels with bfloat16 operands. Compiled for processors with AVX512_BF16.
#include "fingerprint.hpp"
#include "half_pack.hpp"

namespace RECURRA_ISA {
namespace {

template <class Cell>
constexpr recurra::Kernels table = {
    slot_width<float, Cell>,
    half::side_width,
    half::packed_size<Cell>,
    half::pack_tasks<Cell>,
    half::pack<Cell>,
    half::project<Cell>,
    half::forward<Cell>,
    half::backward<Cell>,
    half::input_gradient<Cell>,
    half::gradient_scratch,
    half::weight_gradient<Cell>,
    fingerprint,
    Cell::gates,
    Cell::parts,
    lanes<float>,
};

}  // namespace

const recurra::Kernels* kernels(const recurra_run& run) {
    if (run.cell == RECURRA_LSTM) return &table<Lstm<float, false>>;
    if (run.cell == RECURRA_GRU) return &table<Gru<float>>;
    return &table<Elman<float>>;
}

}  // namespace RECURRA_ISA

// All kernels with bfloat16 operands. Compiled for processors with AVX512_BF16, and for those with AMX.
#include "fingerprint.hpp"
#include "half_pack.hpp"

namespace RECURRA_ISA {
namespace {

template <class Cell>
constexpr recurra::Kernels table = {
    slot_width<float, Cell>,
    half::side_width<Cell, 1>,
    half::packed_size<Cell>,
    half::pack_tasks<Cell>,
    half::pack<Cell>,
    half::project<Cell, 1>,
    half::forward<Cell, 1>,
    half::backward<Cell>,
    half::input_gradient<Cell>,
    half::gradient_scratch,
    half::weight_gradient<Cell>,
    fingerprint,
    Cell::gates,
    Cell::parts,
    lanes<float>,
};

#if defined(RECURRA_TILES)
template <class Cell>
constexpr recurra::Kernels table_two = {
    slot_width<float, Cell>,
    half::side_width<Cell, 2>,
    half::packed_size_two<Cell>,
    half::pack_tasks_two<Cell>,
    half::pack_two<Cell>,
    half::project<Cell, 2>,
    half::forward<Cell, 2>,
    backward<float, Cell>,
    input_gradient<float, Cell>,
    gradient_scratch<float>,
    weight_gradient<float, Cell>,
    fingerprint,
    Cell::gates,
    Cell::parts,
    lanes<float>,
};
#endif

template <class Cell>
const recurra::Kernels* of(const recurra_run& run) {
#if defined(RECURRA_TILES)
    if (run.element & RECURRA_BF16_TWICE) return &table_two<Cell>;
#else
    (void)run;
#endif
    return &table<Cell>;
}

}  // namespace

const recurra::Kernels* kernels(const recurra_run& run) {
    if (run.cell == RECURRA_LSTM) return of<Lstm<float, false>>(run);
    if (run.cell == RECURRA_GRU) return of<Gru<float>>(run);
    return of<Elman<float>>(run);
}

}  // namespace RECURRA_ISA

// All kernels of one instruction set. Compiled once for each, with its flags.
#include "fingerprint.hpp"
#include "gradient.hpp"
#include "learning.hpp"
#include "pack.hpp"

namespace RECURRA_ISA {
namespace {

template <class T, class Cell>
constexpr recurra::Kernels table = {
    slot_width<T, Cell>,
    side_width<T, Cell>,
    packed_size<T, Cell>,
    pack_tasks<T, Cell>,
    pack<T, Cell>,
    project<T, Cell>,
    forward<T, Cell>,
    backward<T, Cell>,
    input_gradient<T, Cell>,
    gradient_scratch<T>,
    weight_gradient<T, Cell>,
    fingerprint,
    Cell::gates,
    Cell::parts,
    lanes<T>,
};

template <class T>
const recurra::Kernels* of_cell(const recurra_run& run) {
    if (run.cell == RECURRA_LSTM && run.coupled) return &table<T, Lstm<T, true>>;
    if (run.cell == RECURRA_LSTM) return &table<T, Lstm<T, false>>;
    if (run.cell == RECURRA_GRU) return &table<T, Gru<T>>;
    return &table<T, Elman<T>>;
}

template <class T>
constexpr recurra::Learning learned = {answer<T>, squares<T>, move<T>};

}  // namespace

const recurra::Learning* learning(int64_t element) { return element == 8 ? &learned<double> : &learned<float>; }

const recurra::Kernels* kernels(const recurra_run& run) {
    return run.element == 8 ? of_cell<double>(run) : of_cell<float>(run);
}

}  // namespace RECURRA_ISA

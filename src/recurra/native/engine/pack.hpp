// Weights from torch's layout into panels. A task is one block of a panel.
#pragma once

#include "backward.hpp"

namespace RECURRA_ISA {

// panel[k][v][lane] = source(v, lane)[k]; where there is no source, 0.
template <class T, class Source>
void pack_transposed(T* panel, int64_t vectors, int64_t columns, Source source) {
    for (int64_t v = 0; v < vectors; ++v) {
        const T* from[lanes<T>];
        for (int64_t lane = 0; lane < lanes<T>; ++lane) from[lane] = source(v, lane);
        for (int64_t k = 0; k < columns; k += lanes<T>) {
            Vector<T> square[lanes<T>];
            for (int lane = 0; lane < lanes<T>; ++lane)
                square[lane] = from[lane] ? load_first(from[lane] + k, columns - k) : Vector<T>{};
            transpose<T>(square);
            T* to = panel + k * vectors * lanes<T> + v * lanes<T>;
            for (int64_t i = 0; i < smaller(lanes<T>, columns - k); ++i) store(to + i * vectors * lanes<T>, square[i]);
        }
    }
}

template <class T, class Cell>
void pack_forward(const recurra_run& run, T* packed, int64_t block) {
    const ForwardPanels<T, Cell> panels(run);
    const int64_t hidden = run.hidden, first = panels.blocks.begin(block), width = panels.blocks.width(block);
    const T *b_ih = static_cast<const T*>(run.b_ih), *b_hh = static_cast<const T*>(run.b_hh);
    T* to = packed + panels.offset(block);
    for (int64_t w = 0; w < width; ++w)
        for (int64_t part = 0; part < Cell::parts; ++part)
            for (int64_t lane = 0; lane < lanes<T>; ++lane) {
                int64_t unit = (first + w) * lanes<T> + lane;
                // The parts that both the input and the state give to take both biases.
                bool of_x = part < Cell::gates, of_h = part < Cell::gap || part > Cell::gap;
                if (Cell::gap == Cell::gates) of_h = true;
                int64_t x_at = part * hidden + unit, h_at = (part - (part > Cell::gap)) * hidden + unit;
                T sum = 0;
                if (b_ih && unit < hidden && of_x) sum += b_ih[x_at];
                if (b_hh && unit < hidden && of_h) sum += b_hh[h_at];
                *to++ = sum;
            }
    auto rows = [&](const T* weights, int64_t columns) {
        return [=](int64_t v, int64_t lane) -> const T* {
            int64_t unit = (first + v / Cell::gates) * lanes<T> + lane;
            return unit < hidden ? weights + (v % Cell::gates * hidden + unit) * columns : nullptr;
        };
    };
    const int64_t vectors = width * Cell::gates;
    pack_transposed<T>(to, vectors, run.inputs, rows(static_cast<const T*>(run.w_ih), run.inputs));
    pack_transposed<T>(to + vectors * lanes<T> * run.inputs, vectors, hidden,
                       rows(static_cast<const T*>(run.w_hh), hidden));
}

template <class T, class Cell>
void pack_columns(const recurra_run& run, const BackwardPanels<T, Cell>& panels, const T* weights,
                  int64_t columns, bool of_x, T* packed, int64_t block) {
    const int64_t hidden = run.hidden, pad = padded<T>(run), column = panels.blocks.begin(block) * lanes<T>;
    const int64_t width = panels.blocks.width(block);
    T* to = packed + panels.offset(block);
    for (int part = 0; part < Cell::gates; ++part) {
        int64_t gate = of_x ? Cell::x_gate(part) : Cell::h_gate(part);
        for (int64_t unit = 0; unit < pad; ++unit)
            for (int64_t w = 0; w < width; ++w, to += lanes<T>) {
                int64_t at = column + w * lanes<T>;
                store(to, unit < hidden ? load_first(weights + (gate * hidden + unit) * columns + at, columns - at)
                                        : Vector<T>{});
            }
    }
}

template <class T, class Cell>
int64_t packed_size(const recurra_run* run, bool backward) {
    if (!backward) return ForwardPanels<T, Cell>(*run).size();
    int64_t size = BackwardPanels<T, Cell>(*run, run->hidden).size();
    return run->dx ? size + BackwardPanels<T, Cell>(*run, run->inputs).size() : size;
}

template <class T, class Cell>
int64_t pack_tasks(const recurra_run* run, bool backward) {
    if (!backward) return ForwardPanels<T, Cell>(*run).blocks.count;
    int64_t tasks = BackwardPanels<T, Cell>(*run, run->hidden).blocks.count;
    return run->dx ? tasks + BackwardPanels<T, Cell>(*run, run->inputs).blocks.count : tasks;
}

template <class T, class Cell>
void pack(const recurra_run* run, bool backward, void* memory, int64_t task) {
    T* packed = static_cast<T*>(memory);
    if (!backward) return pack_forward<T, Cell>(*run, packed, task);
    const BackwardPanels<T, Cell> states(*run, run->hidden), inputs(*run, run->inputs);
    if (task < states.blocks.count)
        pack_columns(*run, states, static_cast<const T*>(run->w_hh), run->hidden, false, packed, task);
    else
        pack_columns(*run, inputs, static_cast<const T*>(run->w_ih), run->inputs, true, packed + states.size(),
                     task - states.blocks.count);
}

}  // namespace RECURRA_ISA

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
    to += vectors * lanes<T> * run.inputs;
    const T* w_hh = static_cast<const T*>(run.w_hh);
    if (run.heads <= 1) return pack_transposed<T>(to, vectors, outputs_of(run), rows(w_hh, outputs_of(run)));
    // A panel may hold units of two heads: each has its own rows, and zeros in the other's.
    const Range felt = panels.states_of(run, block);
    const int64_t size = head_size(run);
    fill<T>(to, nullptr, felt.count * vectors * lanes<T>);
    for (int64_t v = 0; v < vectors; ++v)
        for (int64_t lane = 0; lane < lanes<T>; ++lane) {
            const T* from = rows(w_hh, size)(v, lane);
            if (!from) continue;
            int64_t unit = (first + v / Cell::gates) * lanes<T> + lane, row = unit / size * size - felt.begin;
            for (int64_t k = 0; k < size; ++k) to[((row + k) * vectors + v) * lanes<T> + lane] = from[k];
        }
}

template <class T>
void pack_projection(const recurra_run& run, bool backward, T* packed, int64_t block) {
    const ProjectionPanels<T> panels(run, backward);
    const int64_t vectors = panels.blocks.width(block), column = panels.blocks.begin(block) * lanes<T>;
    const T* w_hr = static_cast<const T*>(run.w_hr);
    T* to = packed + panels.offset(block);
    if (!backward)
        return pack_transposed<T>(to, vectors, run.hidden, [&](int64_t v, int64_t lane) -> const T* {
            int64_t output = column + v * lanes<T> + lane;
            return output < run.outputs ? w_hr + output * run.hidden : nullptr;
        });
    for (int64_t output = 0; output < run.outputs; ++output)
        for (int64_t v = 0; v < vectors; ++v, to += lanes<T>) {
            int64_t at = column + v * lanes<T>;
            store(to, load_first(w_hr + output * run.hidden + at, run.hidden - at));
        }
}

// The columns of W_hh that a block of heads' units are fed through, gate by gate.
template <class T, class Cell>
void pack_head_columns(const recurra_run& run, const BackwardPanels<T, Cell>& panels, T* packed, int64_t block) {
    const int64_t hidden = run.hidden, size = head_size(run);
    const int64_t begin = panels.blocks.begin(block) * lanes<T>, end = panels.blocks.begin(block + 1) * lanes<T>;
    const Range felt = RECURRA_ISA::felt(run, begin, end);
    const T* w_hh = static_cast<const T*>(run.w_hh);
    T* to = packed + panels.offset(block);
    for (int part = 0; part < Cell::gates; ++part)
        for (int64_t unit = felt.begin; unit < felt.begin + felt.count; ++unit) {
            const T* from = w_hh + (Cell::h_gate(part) * hidden + unit) * size;
            for (int64_t column = begin; column < end; ++column) {
                int64_t at = column - unit / size * size;
                *to++ = at >= 0 && at < size ? from[at] : T(0);
            }
        }
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
    int64_t size = backward ? projection_at<T, Cell>(*run) : ForwardPanels<T, Cell>(*run).size();
    return size + ProjectionPanels<T>(*run, backward).size();
}

template <class T, class Cell>
int64_t pack_tasks(const recurra_run* run, bool backward) {
    int64_t tasks = ProjectionPanels<T>(*run, backward).blocks.count;
    if (!backward) return tasks + ForwardPanels<T, Cell>(*run).blocks.count;
    if (run->dx) tasks += BackwardPanels<T, Cell>(*run, true).blocks.count;
    return tasks + BackwardPanels<T, Cell>(*run, false).blocks.count;
}

template <class T, class Cell>
void pack(const recurra_run* run, bool backward, void* memory, int64_t task) {
    T* packed = static_cast<T*>(memory);
    if (!backward) {
        const ForwardPanels<T, Cell> panels(*run);
        if (task < panels.blocks.count) return pack_forward<T, Cell>(*run, packed, task);
        return pack_projection<T>(*run, backward, packed + panels.size(), task - panels.blocks.count);
    }
    const BackwardPanels<T, Cell> states(*run, false), inputs(*run, true);
    if (task < states.blocks.count) {
        if (run->heads > 1) return pack_head_columns(*run, states, packed, task);
        return pack_columns(*run, states, static_cast<const T*>(run->w_hh), outputs_of(*run), false, packed, task);
    }
    task -= states.blocks.count;
    if (run->dx) {
        if (task < inputs.blocks.count)
            return pack_columns(*run, inputs, static_cast<const T*>(run->w_ih), run->inputs, true,
                                packed + states.size(), task);
        task -= inputs.blocks.count;
    }
    pack_projection<T>(*run, backward, packed + projection_at<T, Cell>(*run), task);
}

}  // namespace RECURRA_ISA

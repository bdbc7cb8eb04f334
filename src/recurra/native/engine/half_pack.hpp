// Weights from torch's layout into panels of words. A task is one block of a panel.
#pragma once

#include "half_gradient.hpp"
#include "pack.hpp"

namespace RECURRA_ISA {
namespace half {

// panel[k][v][lane] = the word of source(v, lane)[2k] and [2k + 1]; where there is no source, 0. The
// second part is what the first loses.
template <int Part, class Source>
void pack_transposed(float* panel, int64_t vectors, int64_t columns, Source source) {
    for (int64_t v = 0; v < vectors; ++v) {
        const float* from[line];
        for (int64_t lane = 0; lane < line; ++lane) from[lane] = source(v, lane);
        for (int64_t k = 0; k < columns; k += 2 * line) {
            Floats square[line];
            for (int64_t lane = 0; lane < line; ++lane) {
                square[lane] = Floats{};
                if (!from[lane]) continue;
                Floats a = load_some(from[lane] + k, columns - k);
                Floats b = load_some(from[lane] + k + line, columns - k - line);
                square[lane] = Part == 1 ? halves(a, b) : halves(lost(a), lost(b));
            }
            transpose<float>(square);
            float* to = panel + k / 2 * vectors * line + v * line;
            for (int64_t i = 0; i < line; ++i) store(to + i * vectors * line, square[i]);
        }
    }
}

template <class Cell, int Parts>
void pack_forward(const recurra_run& run, float* packed, int64_t block) {
    const ForwardPanels<Cell, Parts> panels(run);
    const int64_t hidden = run.hidden, first = panels.blocks.begin(block), width = panels.blocks.width(block);
    const float *b_ih = static_cast<const float*>(run.b_ih), *b_hh = static_cast<const float*>(run.b_hh);
    float* to = packed + panels.offset(block);
    for (int64_t w = 0; w < width; ++w)
        for (int64_t part = 0; part < Cell::parts; ++part)
            for (int64_t lane = 0; lane < line; ++lane) {
                int64_t unit = (first + w) * line + lane;
                // The parts that both the input and the state give to take both biases.
                bool of_x = part < Cell::gates, of_h = part < Cell::gap || part > Cell::gap;
                if (Cell::gap == Cell::gates) of_h = true;
                int64_t x_at = part * hidden + unit, h_at = (part - (part > Cell::gap)) * hidden + unit;
                float sum = 0;
                if (b_ih && unit < hidden && of_x) sum += b_ih[x_at];
                if (b_hh && unit < hidden && of_h) sum += b_hh[h_at];
                *to++ = sum;
            }
    auto rows = [&](const float* weights, int64_t columns) {
        return [=](int64_t v, int64_t lane) -> const float* {
            int64_t unit = (first + v / Cell::gates) * line + lane;
            return unit < hidden ? weights + (v % Cell::gates * hidden + unit) * columns : nullptr;
        };
    };
    const int64_t vectors = width * Cell::gates;
    auto pack_both = [&](int64_t words, int64_t columns, auto source) {
        pack_transposed<1>(to, vectors, columns, source);
        if constexpr (Parts == 2) pack_transposed<2>(to + words * vectors * line, vectors, columns, source);
        to += Parts * words * vectors * line;
    };
    pack_both(panels.inputs, run.inputs, rows(static_cast<const float*>(run.w_ih), run.inputs));
    pack_both(panels.hidden, hidden, rows(static_cast<const float*>(run.w_hh), hidden));
}

template <class Cell>
void pack_columns(const recurra_run& run, const BackwardPanels<Cell>& panels, const float* weights, int64_t columns,
                  bool of_x, float* packed, int64_t block) {
    const int64_t hidden = run.hidden, column = panels.blocks.begin(block) * line, width = panels.blocks.width(block);
    float* to = packed + panels.offset(block);
    for (int part = 0; part < Cell::gates; ++part) {
        const float* gate = weights + (of_x ? Cell::x_gate(part) : Cell::h_gate(part)) * hidden * columns;
        for (int64_t unit = 0; unit < 2 * panels.words; unit += 2)
            for (int64_t w = 0; w < width; ++w, to += line) {
                int64_t at = column + w * line;
                const float* row = gate + unit * columns + at;
                store(to, pairs(unit < hidden ? load_first(row, columns - at) : Floats{},
                                unit + 1 < hidden ? load_first(row + columns, columns - at) : Floats{}));
            }
    }
}

template <class Cell>
int64_t packed_size(const recurra_run* run, bool backward) {
    if (!backward) return ForwardPanels<Cell>(*run).size();
    int64_t size = BackwardPanels<Cell>(*run, run->hidden).size();
    return run->dx ? size + BackwardPanels<Cell>(*run, run->inputs).size() : size;
}

template <class Cell>
int64_t pack_tasks(const recurra_run* run, bool backward) {
    if (!backward) return ForwardPanels<Cell>(*run).blocks.count;
    int64_t tasks = BackwardPanels<Cell>(*run, run->hidden).blocks.count;
    return run->dx ? tasks + BackwardPanels<Cell>(*run, run->inputs).blocks.count : tasks;
}

template <class Cell>
void pack(const recurra_run* run, bool backward, void* memory, int64_t task) {
    float* packed = static_cast<float*>(memory);
    if (!backward) return pack_forward<Cell, 1>(*run, packed, task);
    const BackwardPanels<Cell> states(*run, run->hidden), inputs(*run, run->inputs);
    if (task < states.blocks.count)
        pack_columns(*run, states, static_cast<const float*>(run->w_hh), run->hidden, false, packed, task);
    else
        pack_columns(*run, inputs, static_cast<const float*>(run->w_ih), run->inputs, true, packed + states.size(),
                     task - states.blocks.count);
}

// With two parts the way back is that of floats.
template <class Cell>
int64_t packed_size_two(const recurra_run* run, bool backward) {
    return backward ? RECURRA_ISA::packed_size<float, Cell>(run, true) : ForwardPanels<Cell, 2>(*run).size();
}

template <class Cell>
int64_t pack_tasks_two(const recurra_run* run, bool backward) {
    return backward ? RECURRA_ISA::pack_tasks<float, Cell>(run, true) : ForwardPanels<Cell, 2>(*run).blocks.count;
}

template <class Cell>
void pack_two(const recurra_run* run, bool backward, void* memory, int64_t task) {
    if (backward) RECURRA_ISA::pack<float, Cell>(run, true, memory, task);
    else pack_forward<Cell, 2>(*run, static_cast<float*>(memory), task);
}

}  // namespace half
}  // namespace RECURRA_ISA

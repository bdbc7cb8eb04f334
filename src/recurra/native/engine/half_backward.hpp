// Backward with bfloat16 operands: as backward.hpp, but the gradients of a slot's sums become operands
// as soon as they are known, in the front half of the memory that held the gate they belong to.
#pragma once

#include "backward.hpp"
#include "half_forward.hpp"

namespace RECURRA_ISA {
namespace half {

// For each block of columns a panel with a row for each gate and two padded units, in the order of
// the slot.
template <class Cell>
struct BackwardPanels {
    Blocks blocks;
    int64_t words, rows;  // words: of a gate

    BackwardPanels(const recurra_run& run, int64_t columns)
        : blocks(divide_up(columns, line), tile_vectors), words(words_for(run.hidden)), rows(Cell::gates * words) {}

    int64_t size() const { return blocks.vectors * rows * line; }
    int64_t offset(int64_t block) const { return blocks.begin(block) * rows * line; }
};

// tile += the gates from part `from` on, of R slots, times a panel.
template <class Cell, int R, int W, class Slot>
RECURRA_INLINE void multiply_gates(Tile<float, R, W>& tile, Slot slot, int from, int64_t pad, int64_t words,
                                   const float* panel) {
    for (int part = 0; part < Cell::gates; ++part)
        multiply<R, W, W, W>(tile, [&](int r) { return slot(r) + (from + part) * pad; }, pad / 2, 1,
                             panel + part * words * W * line);
}

#if defined(RECURRA_TILES)
template <class Cell, int W>
RECURRA_INLINE void multiply_gates(Tiles& tiles, Sums<W>& sums, const float* slot, int64_t apart, int64_t count,
                                   int from, int64_t pad, int64_t words, const float* panel) {
    tiles.height(count);
    start_tiles<W>(nullptr, 0);
    for (int part = 0; part < Cell::gates; ++part)
        multiply_tiles<W, W>(slot + (from + part) * pad, apart, words, panel + part * words * W * line);
    store_tiles<W>(sums);
}
#endif

template <class Cell, int R, int W>
RECURRA_INLINE Tile<float, R, W> state_gradient(const BackRow<float>* rows, const float* panel, int64_t words,
                                                int64_t pad, int64_t unit, int64_t hidden) {
    Tile<float, R, W> tile = {};
    if (rows[0].next)
        multiply_gates<Cell>(tile, [&](int r) { return rows[r].next; }, Cell::h_from, pad, words, panel);
    else if (rows[0].dhn)
        for (int r = 0; r < R; ++r)
            for (int w = 0; w < W; ++w) {
                int64_t at = unit + w * line;
                tile.at[r][w] = load_first(rows[r].dhn + at, hidden - at);
            }
    return tile;
}

// Units come in rising order, so that what is written over has been read. Behind the last operands
// stand zeros to the end of a line.
template <class Cell>
RECURRA_INLINE void keep_gradients(float* slot, int64_t unit, int64_t pad) {
    constexpr int last = Cell::x_from > Cell::h_from ? Cell::x_from : Cell::h_from;
    RECURRA_UNROLL
    for (int part = 0; part < last + Cell::gates; ++part) {
        float* at = slot + part * pad;
        Floats gradient = load(at + unit);
        store_halves(at + unit / 2, gradient);
        if (unit + line == pad && pad % (2 * line)) store_halves(at + pad / 2, Floats{});
    }
}

template <class Cell>
void backward(const Pass& pass, Group group) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t hidden = run.hidden, pad = padded<float>(run), width = Cell::slot_parts * pad;
    const BackwardPanels<Cell> panels(run, hidden);
    const float* packed = static_cast<const float*>(pass.packed);
    const float *y = static_cast<const float*>(run.y), *dy = static_cast<const float*>(run.dy);
    const float *h0 = static_cast<const float*>(run.h0), *c0 = static_cast<const float*>(run.c0);
    const float *dhn = static_cast<const float*>(run.dhn), *dcn = static_cast<const float*>(run.dcn);
    float *slots = static_cast<float*>(pass.slots), *carries = static_cast<float*>(pass.side);

#if defined(RECURRA_TILES)
    Tiles tiles;
#endif
    BackRow<float> rows[rows_per_group];
    for (int64_t i = 0; i < group.count; ++i) {
        int64_t rank = group.rank(i), row = order.row[rank];
        rows[i] = {};
        rows[i].dhn = dhn ? dhn + row * run.dhn_row : nullptr;
        if constexpr (Cell::carries) {
            rows[i].carry = carries + rank * pad;
            fill<float>(rows[i].carry, nullptr, pad);
            if (Cell::has_cell && dcn) fill<float>(rows[i].carry, dcn + row * run.dcn_row, hidden);
        }
    }

    auto over_blocks = [&](int64_t begin, int64_t end, auto finish) {
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const float* panel = packed + panels.offset(block);
            int64_t unit = panels.blocks.begin(block) * line;
            with_constant<tile_vectors>(panels.blocks.width(block), [&](auto w) {
#if defined(RECURRA_TILES)
                constexpr int V = decltype(w)::value;
                if (begin < end && rows[begin].next) {
                    over_heights(begin, end, [&](int64_t i, int64_t count) {
                        Sums<V> sums;
                        multiply_gates<Cell>(tiles, sums, rows[i].next, group.stride * width, count, Cell::h_from, pad,
                                             panels.words, panel);
                        for (int64_t a = 0; a < count; ++a)
                            for (int b = 0; b < V; ++b) {
                                int64_t at = unit + b * line;
                                finish(sums.at[a][b], rows[i + a], at, hidden - at);
                            }
                    });
                    return;
                }
#endif
                over_tiles(begin, end, [&](int64_t i, auto r) {
                    constexpr int R = decltype(r)::value, W = decltype(w)::value;
                    auto tile = state_gradient<Cell, R, W>(rows + i, panel, panels.words, pad, unit, hidden);
                    for (int a = 0; a < R; ++a)
                        for (int b = 0; b < W; ++b) {
                            int64_t at = unit + b * line;
                            finish(tile.at[a][b], rows[i + a], at, hidden - at);
                        }
                });
            });
        }
    };
    auto step = [&](Floats dh, const BackRow<float>& row, int64_t unit, int64_t n) {
        if (row.dy) dh += load_first(row.dy + unit, n);
        Cell::template backward<1>(run, {{dh}}, &row, unit, pad, n);
        keep_gradients<Cell>(row.slot, unit, pad);
    };

    int64_t after = 0;  // rows that had a step after this one
    for (int64_t s = order.longest - 1; s >= 0; --s) {
        int64_t active = group.active(order.active(s));
        for (int64_t i = 0; i < active; ++i) {
            int64_t rank = group.rank(i), row = order.row[rank], t = pass.time(rank, s);
            rows[i].next = i < after ? rows[i].slot : nullptr;
            rows[i].slot = slots + (order.first_slot[s] + rank) * width;
            rows[i].dy = dy ? dy + t * run.dy_step + row * run.dy_row : nullptr;
            rows[i].y = y + t * run.y_step + row * run.y_row;
            if (s) {
                rows[i].h = y + pass.time(rank, s - 1) * run.y_step + row * run.y_row;
                if (Cell::has_cell)
                    rows[i].c = slots + (order.first_slot[s - 1] + rank) * width + (Cell::slot_parts - 1) * pad;
                rows[i].c_pad = line;
            } else {
                rows[i].h = h0 ? h0 + row * run.h0_row : nullptr;
                rows[i].c = c0 ? c0 + row * run.c0_row : nullptr;
                rows[i].c_pad = 0;
            }
        }
        over_blocks(0, after, step);
        over_blocks(after, active, step);
        after = active;
    }

    if (run.dx && !run.add_dx) {
        for (int64_t i = 0; i < group.count; ++i) {
            int64_t rank = group.rank(i);
            float* dx = static_cast<float*>(run.dx) + order.row[rank] * run.dx_row;
            for (int64_t t = order.length[rank]; t < run.steps; ++t)
                fill<float>(dx + t * run.dx_step, nullptr, run.inputs);
        }
    }

    // What is left is the gradient of the state before the first step.
    if (float* dh0 = static_cast<float*>(run.dh0)) {
        for (int64_t i = 0; i < group.count; ++i) {
            rows[i].next = i < after ? rows[i].slot : nullptr;
            rows[i].slot = dh0 + order.row[group.rank(i)] * hidden;
        }
        auto put = [&](Floats dh, const BackRow<float>& row, int64_t unit, int64_t n) {
            if (Cell::carries && !Cell::has_cell) dh += load(row.carry + unit);
            store_first(row.slot + unit, dh, n);
        };
        over_blocks(0, after, put);
        over_blocks(after, group.count, put);
    }
    if (float* dc0 = static_cast<float*>(run.dc0)) {
        for (int64_t i = 0; i < group.count; ++i)
            fill<float>(dc0 + order.row[group.rank(i)] * hidden, rows[i].carry, hidden);
    }
}

template <class Cell>
void input_gradient(const Pass& pass, int64_t begin, int64_t end) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t pad = padded<float>(run), width = Cell::slot_parts * pad;
    const BackwardPanels<Cell> panels(run, run.inputs);
    const float* packed = static_cast<const float*>(pass.packed) + BackwardPanels<Cell>(run, run.hidden).size();
    const float* slots = static_cast<const float*>(pass.slots);
    float* dx = static_cast<float*>(run.dx);
#if defined(RECURRA_TILES)
    Tiles tiles;
    constexpr int at_once = tile_height;
#else
    constexpr int at_once = tile_rows;
#endif
    int64_t step = begin;
    const int64_t last = order.first_slot[end];
    for (int64_t slot = order.first_slot[begin]; slot < last;) {
        float* to[at_once];
        int64_t first = slot, count = 0;
        for (; count < at_once && slot < last; ++count, ++slot) {
            while (slot >= order.first_slot[step + 1]) ++step;
            int64_t rank = slot - order.first_slot[step];
            to[count] = dx + pass.time(rank, step) * run.dx_step + order.row[rank] * run.dx_row;
        }
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const float* panel = packed + panels.offset(block);
            int64_t column = panels.blocks.begin(block) * line;
            with_constant<tile_vectors>(panels.blocks.width(block), [&](auto w) {
                constexpr int W = decltype(w)::value;
                auto put = [&](const auto& sums, int64_t rows) {
                    for (int64_t i = 0; i < rows; ++i)
                        for (int v = 0; v < W; ++v) {
                            int64_t at = column + v * line;
                            auto value = sums.at[i][v];
                            if (run.add_dx) value += load_first(to[i] + at, run.inputs - at);
                            store_first(to[i] + at, value, run.inputs - at);
                        }
                };
#if defined(RECURRA_TILES)
                Sums<W> sums;
                multiply_gates<Cell>(tiles, sums, slots + first * width, width, count, Cell::x_from, pad, panels.words,
                                     panel);
                put(sums, count);
#else
                with_constant<tile_rows>(count, [&](auto r) {
                    constexpr int R = decltype(r)::value;
                    Tile<float, R, W> tile = {};
                    multiply_gates<Cell>(tile, [&](int i) { return slots + (first + i) * width; }, Cell::x_from, pad,
                                         panels.words, panel);
                    put(tile, R);
                });
#endif
            });
        }
    }
}

}  // namespace half
}  // namespace RECURRA_ISA

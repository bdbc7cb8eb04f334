// Forward with bfloat16 operands: as forward.hpp, the gates and the states in float.
//
// An operand has one part or, with tiles alone, two: the second is what rounding took from the first,
// and first . first + second . first + first . second is nearly the product of floats.
//
// Beside the rows of x and y, each rank has a side: its input of this step as operands, and its state
// before and after the step, which change places from step to step.
#pragma once

#include "forward.hpp"
#include "amx.hpp"
#include "half.hpp"

namespace RECURRA_ISA {
namespace half {

// A panel with two parts holds both of the input's, then both of the state's.
template <class Cell, int Parts = 1>
struct ForwardPanels {
    Blocks blocks;
    int64_t inputs, hidden;  // words

    explicit ForwardPanels(const recurra_run& run)
        : blocks(padded<float>(run) / line, Cell::units), inputs(words_for(run.inputs)),
          hidden(words_for(run.hidden)) {}

    int64_t each() const { return (Cell::parts + Cell::gates * Parts * (inputs + hidden)) * line; }
    int64_t size() const { return blocks.vectors * each(); }
    int64_t offset(int64_t block) const { return blocks.begin(block) * each(); }
};

template <int Parts>
struct Sides {
    int64_t inputs, hidden, width;

    explicit Sides(const recurra_run& run)
        : inputs(words_for(run.inputs)), hidden(words_for(run.hidden)),
          // an odd number of lines: sides a power of two apart would fall on the same cache lines
          width((Parts * (inputs + 2 * hidden) / line | 1) * line) {}

    float* state(float* side, int64_t step) const { return side + Parts * (inputs + (step & 1) * hidden); }
};

template <class Cell, int Parts>
int64_t side_width(const recurra_run* run, bool backward) {
    return backward ? RECURRA_ISA::side_width<float, Cell>(run, true) : Sides<Parts>(*run).width;
}

// Finishes the W vectors of units of one row, whose sums are known.
template <class Cell, int W, int Parts>
RECURRA_INLINE void finish(const recurra_run& run, const Sides<Parts>& sides, const Floats* sum, const Row<float>& row,
                           float* side, int64_t step, int64_t vector, int64_t pad) {
    for (int w = 0; w < W; ++w) {
        int64_t unit = (vector + w) * line, n = run.hidden - unit;
        auto part = [&](int at) { return Several<float, 1>{{sum[w * Cell::parts + at]}}; };
        Cell::template forward<1>(run, part, &row, unit, pad, n);
        Floats h = load_first(row.y + unit, n);
        store_halves(sides.state(side, step + 1) + unit / 2, h);
        if constexpr (Parts == 2) store_halves(sides.state(side, step + 1) + sides.hidden + unit / 2, lost(h));
    }
}

#if !defined(RECURRA_TILES)
template <class Cell, int R, int W>
void forward_tile(const recurra_run& run, const Sides<1>& sides, const float* panel, const Row<float>* rows,
                  float* const* side, int64_t step, const float* const* projected, int64_t vector, int64_t pad) {
    constexpr int parts = Cell::parts * W, width = Cell::gates * W;
    const float* inputs = panel + parts * line;
    const float* states = inputs + sides.inputs * width * line;
    Tile<float, R, parts> tile;
    if (projected) {
        int64_t from = vector * Cell::parts * line;
        tile = started<float, R, parts>([&](int r) { return projected[r] + from; });
    } else {
        tile = started<float, R, parts>([&](int) { return panel; });
        multiply<R, parts, width, width>(tile, [&](int r) { return side[r]; }, divide_up(run.inputs, 2), 1, inputs);
    }
    if (rows[0].h) {
        multiply<R, parts, width, W * Cell::gap>(tile, [&](int r) { return sides.state(side[r], step); },
                                                 divide_up(run.hidden, 2), 1, states);
    }
    for (int r = 0; r < R; ++r) finish<Cell, W>(run, sides, tile.at[r], rows[r], side[r], step, vector, pad);
}
#else
// The same for `count` rows, whose sides lie `apart`, and their projected sums `sums_apart`.
template <class Cell, int W, int Parts>
void forward_tiles(Tiles& tiles, const recurra_run& run, const Sides<Parts>& sides, const float* panel,
                   const Row<float>* rows, float* const* side, int64_t apart, int64_t count, int64_t step,
                   const float* projected, int64_t sums_apart, int64_t vector, int64_t pad) {
    constexpr int parts = Cell::parts * W, width = Cell::gates * W;
    const float* inputs = panel + parts * line;
    tiles.height(count);
    if (projected) {
        start_tiles<parts>(projected + vector * Cell::parts * line, sums_apart);
    } else {
        start_tiles<parts>(panel, 0);
        multiply_tiles<Parts, width, width>(side[0], apart, sides.inputs, sides.inputs, inputs, sides.inputs);
    }
    if (rows[0].h)
        multiply_tiles<Parts, width, W * Cell::gap>(sides.state(side[0], step), apart, sides.hidden, sides.hidden,
                                                    inputs + Parts * sides.inputs * width * line, sides.hidden);
    Sums<parts> sums;
    store_tiles<parts>(sums);
    for (int64_t r = 0; r < count; ++r)
        finish<Cell, W>(run, sides, sums.at[r], rows[r], side[r], step, vector, pad);
}
#endif

template <class Cell, int Parts>
void project(const Pass& pass, int64_t begin, int64_t end) {
    const recurra_run& run = *pass.run;
    const ForwardPanels<Cell, Parts> panels(run);
    const float* packed = static_cast<const float*>(pass.packed);
    const int64_t width = Cell::parts * padded<float>(run), last = pass.order.first_slot[end];
    constexpr int64_t some = 16 * line;  // words of a row at a time
#if defined(RECURRA_TILES)
    Tiles tiles(Parts);
    constexpr int at_once = tile_height;
#else
    constexpr int at_once = tile_rows;
#endif
    alignas(64) float words[Parts][at_once][some];
    int64_t step = begin;
    for (int64_t slot = pass.order.first_slot[begin]; slot < last;) {
        const float* x[at_once];
        int64_t first = slot, count = 0;
        for (; count < at_once && slot < last; ++count, ++slot) {
            while (slot >= pass.order.first_slot[step + 1]) ++step;
            int64_t rank = slot - pass.order.first_slot[step];
            x[count] = static_cast<const float*>(run.x) + pass.time(rank, step) * run.x_step +
                       pass.order.row[rank] * run.x_row;
        }
        float* to = static_cast<float*>(pass.projected) + first * width;
        int64_t done = 0;
        do {
            int64_t n = smaller(2 * some, run.inputs - done);
            for (int64_t i = 0; i < count; ++i) convert<Parts>(words[0][i], x[i] + done, n, at_once * some);
            for (int64_t block = 0; block < panels.blocks.count; ++block) {
                const float* panel = packed + panels.offset(block);
                int64_t from = panels.blocks.begin(block) * Cell::parts * line;
                with_constant<Cell::units>(panels.blocks.width(block), [&](auto w) {
#if defined(RECURRA_TILES)
                    constexpr int V = Cell::parts * decltype(w)::value, P = Cell::gates * decltype(w)::value;
                    tiles.height(count);
                    start_tiles<V>(done ? to + from : panel, done ? width : 0);
                    multiply_tiles<Parts, P, P>(words[0][0], some, at_once * some, words_for(n),
                                                panel + (V + done / 2 * P) * line, panels.inputs);
                    store_tiles<V>(to + from, width);
#else
                    with_constant<tile_rows>(count, [&](auto r) {
                        constexpr int R = decltype(r)::value, W = decltype(w)::value;
                        constexpr int parts = Cell::parts * W, gates = Cell::gates * W;
                        auto tile = started<float, R, parts>(
                            [&](int i) -> const float* { return done ? to + i * width + from : panel; });
                        multiply<R, parts, gates, gates>(tile, [&](int i) { return words[0][i]; }, divide_up(n, 2), 1,
                                                         panel + (parts + done / 2 * gates) * line);
                        for (int i = 0; i < R; ++i)
                            for (int v = 0; v < parts; ++v) store(to + i * width + from + v * line, tile.at[i][v]);
                    });
#endif
                });
            }
            done += n;
        } while (done < run.inputs);
    }
}

template <class Cell, int Parts>
void forward(const Pass& pass, Group group) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t hidden = run.hidden, pad = padded<float>(run), width = Cell::slot_parts * pad;
    const ForwardPanels<Cell, Parts> panels(run);
    const Sides<Parts> sides(run);
    const float* packed = static_cast<const float*>(pass.packed);
    const float *x = static_cast<const float*>(run.x), *projected = static_cast<const float*>(pass.projected);
    float *y = static_cast<float*>(run.y), *slots = static_cast<float*>(run.saved);

#if defined(RECURRA_TILES)
    Tiles tiles(Parts);
#endif
    Row<float> rows[rows_per_group];
    float* side[rows_per_group];
    const float* sums[rows_per_group];
    for (int64_t i = 0; i < group.count; ++i) {
        int64_t rank = group.rank(i), row = order.row[rank];
        const float *h0 = static_cast<const float*>(run.h0), *c0 = static_cast<const float*>(run.c0);
        rows[i] = {};
        rows[i].h = h0 ? h0 + row * run.h0_row : nullptr;
        side[i] = static_cast<float*>(pass.side) + rank * sides.width;
        convert<Parts>(sides.state(side[i], 0), rows[i].h, hidden, sides.hidden);
        convert<Parts>(sides.state(side[i], 1), nullptr, hidden, sides.hidden);
        if constexpr (Cell::has_cell) {
            rows[i].c = static_cast<float*>(run.cn) + row * hidden;
            fill<float>(rows[i].c, c0 ? c0 + row * run.c0_row : nullptr, hidden);
        }
    }

    for (int64_t s = 0; s < order.longest; ++s) {
        int64_t active = group.active(order.active(s));
        if (!active) break;
        for (int64_t i = 0; i < active; ++i) {
            int64_t rank = group.rank(i), row = order.row[rank], t = pass.time(rank, s);
            int64_t slot = order.first_slot[s] + rank;
            rows[i].x = x + t * run.x_step + row * run.x_row;
            if (s) rows[i].h = rows[i].y;
            rows[i].y = y + t * run.y_step + row * run.y_row;
            rows[i].slot = slots ? slots + slot * width : nullptr;
            if (projected) sums[i] = projected + slot * Cell::parts * pad;
            else convert<Parts>(side[i], rows[i].x, run.inputs, sides.inputs);
        }
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const float* panel = packed + panels.offset(block);
            int64_t vector = panels.blocks.begin(block);
            with_constant<Cell::units>(panels.blocks.width(block), [&](auto w) {
#if defined(RECURRA_TILES)
                over_heights(0, active, [&](int64_t i, int64_t count) {
                    forward_tiles<Cell, decltype(w)::value>(
                        tiles, run, sides, panel, rows + i, side + i, group.stride * sides.width, count, s,
                        projected ? sums[i] : nullptr, group.stride * Cell::parts * pad, vector, pad);
                });
#else
                over_tiles(0, active, [&](int64_t i, auto r) {
                    forward_tile<Cell, decltype(r)::value, decltype(w)::value>(
                        run, sides, panel, rows + i, side + i, s, projected ? sums + i : nullptr, vector, pad);
                });
#endif
            });
        }
    }

    for (int64_t i = 0; i < group.count; ++i) {
        int64_t rank = group.rank(i), row = order.row[rank];
        fill<float>(static_cast<float*>(run.hn) + row * hidden, order.length[rank] ? rows[i].y : rows[i].h, hidden);
        for (int64_t t = order.length[rank]; t < run.steps; ++t)
            fill<float>(y + t * run.y_step + row * run.y_row, nullptr, hidden);
    }
}

}  // namespace half
}  // namespace RECURRA_ISA

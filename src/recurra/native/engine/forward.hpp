// Forward: a group of rows through all its steps.
#pragma once

#include "options.hpp"

namespace RECURRA_ISA {

using recurra::Group;
using recurra::Order;
using recurra::rows_per_group;

// Forward weights, for each vector of units: the bias of each part, then a row of the panel for
// each input and for each unit of the state it feels. Blocks of `Cell::units` vectors share a panel.
template <class T, class Cell>
struct ForwardPanels {
    Blocks blocks;
    int64_t inputs, states;

    explicit ForwardPanels(const recurra_run& run)
        : blocks(padded<T>(run) / lanes<T>, vectors_of_head<T>(run, Cell::units)), inputs(run.inputs),
          states(most_felt<T>(run, Cell::units)) {}

    int64_t each() const { return (Cell::parts + Cell::gates * (inputs + states)) * lanes<T>; }
    int64_t size() const { return blocks.vectors * each(); }
    int64_t offset(int64_t block) const { return blocks.begin(block) * each(); }
    Range states_of(const recurra_run& run, int64_t block) const {
        return felt(run, blocks.begin(block) * lanes<T>, blocks.begin(block + 1) * lanes<T>);
    }
};

// The sums of a tile before anything is added: the biases, or what was projected.
template <class T, int R, int V, class Row>
RECURRA_INLINE Tile<T, R, V> started(Row row) {
    Tile<T, R, V> tile;
    RECURRA_UNROLL
    for (int r = 0; r < R; ++r) {
        const T* from = row(r);
        RECURRA_UNROLL
        for (int v = 0; v < V; ++v) tile.at[r][v] = load(from + v * lanes<T>);
    }
    return tile;
}

// One tile: R rows, W vectors of units.
template <class T, class Cell, int R, int W>
void forward_tile(const recurra_run& run, const T* panel, const Row<T>* rows, const T* const* projected,
                  Range felt, int64_t vector, int64_t pad) {
    constexpr int parts = Cell::parts * W, width = Cell::gates * W;
    const T* inputs = panel + parts * lanes<T>;
    const T* states = inputs + run.inputs * width * lanes<T>;
    Tile<T, R, parts> tile;
    if (projected) {
        int64_t from = vector * Cell::parts * lanes<T>;
        tile = started<T, R, parts>([&](int r) { return projected[r] + from; });
    } else {
        tile = started<T, R, parts>([&](int) { return panel; });
        multiply<T, R, parts, width, width>(tile, [&](int r) { return rows[r].x; }, run.inputs, 1, inputs);
    }
    if (rows[0].h) {
        multiply<T, R, parts, width, W * Cell::gap>(tile, [&](int r) { return rows[r].fed + felt.begin; },
                                                    felt.count, 1, states);
    }
    for (int w = 0; w < W; ++w) {
        int64_t unit = (vector + w) * lanes<T>;
        auto sum = [&](int part) { return tile.column(w * Cell::parts + part); };
        Cell::template forward<R>(run, sum, rows, unit, pad, run.hidden - unit);
    }
}

template <class T>
RECURRA_INLINE void fill(T* to, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = from ? from[i] : T(0);
}

// What the input gives to the sums, for all slots of a range of steps: worth it where a group has
// too few rows to fill a tile.
template <class T, class Cell>
void project(const Pass& pass, int64_t begin, int64_t end) {
    const recurra_run& run = *pass.run;
    const ForwardPanels<T, Cell> panels(run);
    const T* packed = static_cast<const T*>(pass.packed);
    const int64_t width = Cell::parts * padded<T>(run), last = pass.order.first_slot[end];
    int64_t step = begin;
    for (int64_t slot = pass.order.first_slot[begin]; slot < last;) {
        const T* x[tile_rows];
        int64_t first = slot, count = 0;
        for (; count < tile_rows && slot < last; ++count, ++slot) {
            while (slot >= pass.order.first_slot[step + 1]) ++step;
            int64_t rank = slot - pass.order.first_slot[step];
            x[count] = static_cast<const T*>(run.x) + pass.time(rank, step) * run.x_step +
                       pass.order.row[rank] * run.x_row;
        }
        T* to = static_cast<T*>(pass.projected) + first * width;
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const T* panel = packed + panels.offset(block);
            int64_t from = panels.blocks.begin(block) * Cell::parts * lanes<T>;
            with_constant<Cell::units>(panels.blocks.width(block), [&](auto w) {
                with_constant<tile_rows>(count, [&](auto r) {
                    constexpr int R = decltype(r)::value, W = decltype(w)::value;
                    constexpr int parts = Cell::parts * W, gates = Cell::gates * W;
                    auto tile = started<T, R, parts>([&](int) { return panel; });
                    multiply<T, R, parts, gates, gates>(tile, [&](int i) { return x[i]; }, run.inputs, 1,
                                                        panel + parts * lanes<T>);
                    for (int i = 0; i < R; ++i)
                        for (int v = 0; v < parts; ++v) store(to + i * width + from + v * lanes<T>, tile.at[i][v]);
                });
            });
        }
    }
}

template <class T, class Cell>
void forward(const Pass& pass, Group group) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t hidden = run.hidden, outputs = outputs_of(run), pad = padded<T>(run);
    const int64_t width = slot_width<T, Cell>(&run), side = side_width<T, Cell>(&run, false);
    const bool optional = has_options(run);
    const ForwardPanels<T, Cell> panels(run);
    const T* packed = static_cast<const T*>(pass.packed);
    const T *x = static_cast<const T*>(run.x), *projected = static_cast<const T*>(pass.projected);
    T *y = static_cast<T*>(run.y), *slots = static_cast<T*>(run.saved);

    Row<T> rows[rows_per_group];
    const T* sums[rows_per_group];
    T *answers[rows_per_group], *sides[rows_per_group];
    int64_t times[rows_per_group];
    for (int64_t i = 0; i < group.count; ++i) {
        int64_t row = order.row[group.rank(i)];
        const T *h0 = static_cast<const T*>(run.h0), *c0 = static_cast<const T*>(run.c0);
        rows[i] = {};
        rows[i].h = h0 ? h0 + row * run.h0_row : nullptr;
        sides[i] = static_cast<T*>(pass.side) + group.rank(i) * side;
        if constexpr (Cell::has_cell) {
            rows[i].c = static_cast<T*>(run.cn) + row * hidden;
            fill<T>(rows[i].c, c0 ? c0 + row * run.c0_row : nullptr, hidden);
        }
    }

    for (int64_t s = 0; s < order.longest; ++s) {
        int64_t active = group.active(order.active(s));
        if (!active) break;
        for (int64_t i = 0; i < active; ++i) {
            int64_t rank = group.rank(i), row = order.row[rank], t = pass.time(rank, s);
            int64_t slot = order.first_slot[s] + rank;
            rows[i].x = x + t * run.x_step + row * run.x_row;
            if (s) rows[i].h = answers[i];
            rows[i].fed = rows[i].h;
            rows[i].y = answers[i] = y + t * run.y_step + row * run.y_row;
            times[i] = t;
            rows[i].slot = slots ? slots + slot * width : nullptr;
            sums[i] = projected ? projected + slot * Cell::parts * pad : nullptr;
        }
        if (optional) before_tiles<T, Cell>(run, order.row + group.first, times, group.stride, active, rows, sides);
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const T* panel = packed + panels.offset(block);
            const Range felt = panels.states_of(run, block);
            int64_t vector = panels.blocks.begin(block);
            with_constant<Cell::units>(panels.blocks.width(block), [&](auto w) {
                over_tiles(0, active, [&](int64_t i, auto r) {
                    forward_tile<T, Cell, decltype(r)::value, decltype(w)::value>(
                        run, panel, rows + i, projected ? sums + i : nullptr, felt, vector, pad);
                });
            });
        }
        if (optional)
            after_tiles<T, Cell>(pass, packed + panels.size(), order.row + group.first, times, group.stride, active,
                                 rows, answers, sides);
    }

    for (int64_t i = 0; i < group.count; ++i) {
        int64_t rank = group.rank(i), row = order.row[rank];
        fill<T>(static_cast<T*>(run.hn) + row * outputs, order.length[rank] ? answers[i] : rows[i].h, outputs);
        for (int64_t t = order.length[rank]; t < run.steps; ++t)
            fill<T>(y + t * run.y_step + row * run.y_row, nullptr, outputs);
    }
}

}  // namespace RECURRA_ISA

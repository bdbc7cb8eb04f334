// Backward through time: a group of rows from its last step to its first, and the input's gradient.
#pragma once

#include "forward.hpp"

namespace RECURRA_ISA {

// Backward weights: for each block of columns of W (gates * hidden, columns) a panel with a row for
// each gate and padded unit, in the order of the slot. Where there are heads the columns of W_hh have,
// for each gate, only the rows of the units that feel them.
template <class T, class Cell>
struct BackwardPanels {
    Blocks blocks;
    int64_t rows;

    BackwardPanels(const recurra_run& run, bool of_x)
        : blocks(divide_up(of_x ? run.inputs : outputs_of(run), lanes<T>),
                 of_x ? tile_vectors : vectors_of_head<T>(run, tile_vectors)),
          rows(Cell::gates * (of_x || run.heads <= 1 ? padded<T>(run) : most_felt<T>(run, tile_vectors))) {}

    int64_t size() const { return blocks.vectors * rows * lanes<T>; }
    int64_t offset(int64_t block) const { return blocks.begin(block) * rows * lanes<T>; }
};

// The gradient of the state that R rows had before a step, W vectors of it: what the step's gates
// give, or in a record's last step what comes from outside.
template <class T, class Cell, int R, int W>
RECURRA_INLINE Tile<T, R, W> state_gradient(const BackRow<T>* rows, const T* panel, Range gates, int pieces,
                                            int64_t pad, int64_t unit, int64_t outputs) {
    Tile<T, R, W> tile = {};
    if (rows[0].next)
        // In one piece, all gates, or piece by piece what each gate has of the heads.
        for (int piece = 0; piece < pieces; ++piece)
            multiply<T, R, W, W, W>(
                tile, [&](int r) { return rows[r].next + (Cell::h_from + piece) * pad + gates.begin; }, gates.count, 1,
                panel + piece * gates.count * W * lanes<T>);
    else if (rows[0].dhn)
        for (int r = 0; r < R; ++r)
            for (int w = 0; w < W; ++w) {
                int64_t at = unit + w * lanes<T>;
                tile.at[r][w] = load_first(rows[r].dhn + at, outputs - at);
            }
    return tile;
}

// Where the projection's panels begin: after those of W_hh and, where they are wanted, of W_ih.
template <class T, class Cell>
int64_t projection_at(const recurra_run& run) {
    int64_t at = BackwardPanels<T, Cell>(run, false).size();
    return run.dx ? at + BackwardPanels<T, Cell>(run, true).size() : at;
}

template <class T, class Cell>
void backward(const Pass& pass, Group group) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t hidden = run.hidden, outputs = outputs_of(run), pad = padded<T>(run);
    const Layout<T, Cell> layout(run);
    const int64_t width = layout.width, side = side_width<T, Cell>(&run, true);
    const bool optional = has_options(run);
    const BackwardPanels<T, Cell> panels(run, false);
    const T* packed = static_cast<const T*>(pass.packed);
    const T *y = static_cast<const T*>(run.y), *dy = static_cast<const T*>(run.dy);
    const T *h0 = static_cast<const T*>(run.h0), *c0 = static_cast<const T*>(run.c0);
    const T *dhn = static_cast<const T*>(run.dhn), *dcn = static_cast<const T*>(run.dcn);
    T *slots = static_cast<T*>(pass.slots);

    BackRow<T> rows[rows_per_group];
    for (int64_t i = 0; i < group.count; ++i) {
        int64_t rank = group.rank(i), row = order.row[rank];
        rows[i] = {};
        rows[i].dhn = dhn ? dhn + row * run.dhn_row : nullptr;
        if constexpr (Cell::carries) {
            rows[i].carry = static_cast<T*>(pass.side) + rank * side;
            fill<T>(rows[i].carry, nullptr, pad);
            if (Cell::has_cell && dcn) fill<T>(rows[i].carry, dcn + row * run.dcn_row, hidden);
        }
        rows[i].mask = mask_of<T>(run, row);
        if (run.zoneout_h) {
            rows[i].h_carry = static_cast<T*>(pass.side) + (rank + 1) * side - padded_outputs<T>(run);
            fill<T>(rows[i].h_carry, nullptr, padded_outputs<T>(run));
        }
    }

    auto over_blocks = [&](int64_t begin, int64_t end, auto finish) {
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const T* panel = packed + panels.offset(block);
            int64_t unit = panels.blocks.begin(block) * lanes<T>;
            Range gates = {0, panels.rows};
            int pieces = 1;
            if (run.heads > 1) {
                gates = felt(run, unit, panels.blocks.begin(block + 1) * lanes<T>);
                pieces = Cell::gates;
            }
            with_constant<tile_vectors>(panels.blocks.width(block), [&](auto w) {
                over_tiles(begin, end, [&](int64_t i, auto r) {
                    constexpr int R = decltype(r)::value, W = decltype(w)::value;
                    auto tile = state_gradient<T, Cell, R, W>(rows + i, panel, gates, pieces, pad, unit, outputs);
                    for (int b = 0; b < W; ++b) {
                        int64_t at = unit + b * lanes<T>;
                        finish(tile.column(b), rows + i, at, outputs - at);
                    }
                });
            });
        }
    };
    auto step = [&](auto dh, const BackRow<T>* rows, int64_t unit, int64_t n) {
        constexpr int N = sizeof(dh.at) / sizeof(dh.at[0]);
        if (optional) {
            for (int r = 0; r < N; ++r) back_to<T, Cell>(run, dh.at[r], rows[r], unit, pad, n);
            return;
        }
        if (rows[0].dy) dh = dh + load_first_each<T, N>(n, [&](int r) { return rows[r].dy + unit; });
        Cell::template backward<N>(run, dh, rows, unit, pad, n);
        // An infinite input has made its product with the padding's zeros NaN.
        if (n >= lanes<T>) return;
        for (int r = 0; r < N; ++r)
            for (int64_t part = 0; part < Cell::slot_parts; ++part)
                fill<T>(rows[r].slot + part * pad + unit + n, nullptr, lanes<T> - n);
    };

    const ProjectionPanels<T> projection(run, true);
    int64_t after = 0;  // rows that had a step after this one
    for (int64_t s = order.longest - 1; s >= 0; --s) {
        int64_t active = group.active(order.active(s));
        for (int64_t i = 0; i < active; ++i) {
            int64_t rank = group.rank(i), row = order.row[rank], t = pass.time(rank, s);
            rows[i].next = i < after ? rows[i].slot : nullptr;
            rows[i].slot = slots + (order.first_slot[s] + rank) * width;
            rows[i].dy = dy ? dy + t * run.dy_step + row * run.dy_row : nullptr;
            rows[i].y = y + t * run.y_step + row * run.y_row;
            if (optional) {
                rows[i].kept_h = kept_h<T>(run, t, row);
                rows[i].kept_c = kept_c<T>(run, t, row);
                if (!Cell::carries && run.zoneout_h) rows[i].y = rows[i].slot;
                if (run.w_hr) rows[i].dh = rows[i].slot + layout.given;
            }
            if (s) {
                rows[i].h = y + pass.time(rank, s - 1) * run.y_step + row * run.y_row;
                if (Cell::has_cell)
                    rows[i].c = slots + (order.first_slot[s - 1] + rank) * width + layout.c;
                rows[i].c_pad = lanes<T>;
            } else {
                rows[i].h = h0 ? h0 + row * run.h0_row : nullptr;
                rows[i].c = c0 ? c0 + row * run.c0_row : nullptr;
                rows[i].c_pad = 0;
            }
            if (run.decay) {
                const T* left = y + t * run.y_step + row * run.y_row;
                next_decay<T>(run, pass.time(rank, s + 1), row, left, rows[i].slot + layout.c, rows[i]);
                found_state<T, Cell>(run, t, row, rows[i]);
            }
        }
        over_blocks(0, after, step);
        over_blocks(after, active, step);
        if constexpr (Cell::has_cell) {
            if (run.w_hr)
                project_rows<T>(projection, packed + projection_at<T, Cell>(run), active,
                                [&](int64_t i) -> const T* { return rows[i].dh; },
                                [&](Vector<T> dh, int64_t i, int64_t at) {
                                    back_through<T, Cell>(run, dh, rows[i], at, pad, hidden - at);
                                });
        }
        after = active;
    }

    auto clear_padding = [&](void* gradient, int64_t time_step, int64_t row_step, int64_t width) {
        for (int64_t i = 0; i < group.count; ++i) {
            int64_t rank = group.rank(i);
            T* to = static_cast<T*>(gradient) + order.row[rank] * row_step;
            for (int64_t t = order.length[rank]; t < run.steps; ++t) fill<T>(to + t * time_step, nullptr, width);
        }
    };
    if (run.dx && !run.add_dx) clear_padding(run.dx, run.dx_step, run.dx_row, run.inputs);
    if (run.ddecay) clear_padding(run.ddecay, run.ddecay_step, run.ddecay_row, outputs);

    // What is left is the gradient of the state before the first step.
    T* dh0 = static_cast<T*>(run.dh0);
    if (dh0 || run.decay) {
        for (int64_t i = 0; i < group.count; ++i) {
            int64_t rank = group.rank(i), row = order.row[rank];
            rows[i].next = i < after ? rows[i].slot : nullptr;
            rows[i].slot = dh0 ? dh0 + row * outputs : nullptr;
            if (run.decay)
                next_decay<T>(run, pass.time(rank, 0), row, h0 ? h0 + row * run.h0_row : nullptr,
                              c0 ? c0 + row * run.c0_row : nullptr, rows[i]);
        }
        auto put = [&](auto all, const BackRow<T>* rows, int64_t unit, int64_t n) {
            constexpr int N = sizeof(all.at) / sizeof(all.at[0]);
            for (int r = 0; r < N; ++r) {
                const BackRow<T>& row = rows[r];
                Vector<T> dh = all.at[r];
                if (optional) dh = arrived(dh, row, unit, n);
                if (row.decay) dh = through_decay<T, Cell>(dh, row, unit, n);
                if (Cell::carries && !Cell::has_cell) dh += load(row.carry + unit);
                if (row.slot) store_first(row.slot + unit, dh, n);
            }
        };
        over_blocks(0, after, put);
        over_blocks(after, group.count, put);
    }
    if (T* dc0 = static_cast<T*>(run.dc0)) {
        for (int64_t i = 0; i < group.count; ++i)
            fill<T>(dc0 + order.row[group.rank(i)] * hidden, rows[i].carry, hidden);
    }
}

// dx = W_ih' (gradients of the sums), for all slots of a range of steps; 0 beyond a record's length.
template <class T, class Cell>
void input_gradient(const Pass& pass, int64_t begin, int64_t end) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const int64_t pad = padded<T>(run), width = slot_width<T, Cell>(&run);
    const BackwardPanels<T, Cell> panels(run, true);
    const T* packed = static_cast<const T*>(pass.packed) + BackwardPanels<T, Cell>(run, false).size();
    const T* slots = static_cast<const T*>(pass.slots) + Cell::x_from * pad;
    T* dx = static_cast<T*>(run.dx);
    int64_t step = begin;
    const int64_t last = order.first_slot[end];
    for (int64_t slot = order.first_slot[begin]; slot < last;) {
        T* to[tile_rows];
        int64_t first = slot, count = 0;
        for (; count < tile_rows && slot < last; ++count, ++slot) {
            while (slot >= order.first_slot[step + 1]) ++step;
            int64_t rank = slot - order.first_slot[step];
            to[count] = dx + pass.time(rank, step) * run.dx_step + order.row[rank] * run.dx_row;
        }
        for (int64_t block = 0; block < panels.blocks.count; ++block) {
            const T* panel = packed + panels.offset(block);
            int64_t column = panels.blocks.begin(block) * lanes<T>;
            with_constant<tile_vectors>(panels.blocks.width(block), [&](auto w) {
                with_constant<tile_rows>(count, [&](auto r) {
                    constexpr int R = decltype(r)::value, W = decltype(w)::value;
                    Tile<T, R, W> tile = {};
                    multiply<T, R, W, W, W>(tile, [&](int i) { return slots + (first + i) * width; },
                                            panels.rows, 1, panel);
                    for (int i = 0; i < R; ++i)
                        for (int v = 0; v < W; ++v) {
                            int64_t at = column + v * lanes<T>;
                            auto value = tile.at[i][v];
                            if (run.add_dx) value += load_first(to[i] + at, run.inputs - at);
                            store_first(to[i] + at, value, run.inputs - at);
                        }
                });
            });
        }
    }
}

}  // namespace RECURRA_ISA

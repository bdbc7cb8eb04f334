// The options of the cells around the tiles: where they keep things, and what they do to a step.
//
// Plain cells pass all of this by with one branch a step, so that an option costs only those who
// ask for it. A mask acts on whole rows between the product and the next step; the projection is one
// more product; heads only narrow what a panel reads.
#pragma once

#include "cells.hpp"
#include "pass.hpp"

namespace RECURRA_ISA {

using recurra::head_size;
using recurra::outputs_of;
using recurra::Pass;

template <class T>
RECURRA_INLINE int64_t padded(const recurra_run& run) {
    return round_up(run.hidden, lanes<T>);
}

template <class T>
RECURRA_INLINE int64_t padded_outputs(const recurra_run& run) {
    return round_up(outputs_of(run), lanes<T>);
}

// Whether a step has more to do than its tiles.
RECURRA_INLINE bool has_options(const recurra_run& run) {
    return run.recurrent || run.zoneout_h || run.zoneout_c || run.decay || run.w_hr || run.w_ch;
}

// A slot: the parts of the cell, then those of the options.
template <class T, class Cell>
struct Layout {
    int64_t c;      // LSTM: c as the next step finds it, after zoneout
    int64_t read;   // projection: o * tanh(c), what it reads
    int64_t given;  // projection, backward: the gradient of what it gave
    int64_t width;

    explicit RECURRA_INLINE Layout(const recurra_run& run) {
        const int64_t pad = padded<T>(run);
        int64_t parts = Cell::slot_parts + (Cell::has_cell && run.zoneout_c ? 1 : 0);
        c = (parts - 1) * pad;
        read = parts * pad;
        given = read + pad;
        width = run.w_hr ? given + padded_outputs<T>(run) : parts * pad;
    }
};

template <class T, class Cell>
int64_t slot_width(const recurra_run* run) {
    return Layout<T, Cell>(*run).width;
}

// Of one row, what a step needs and the next writes over. Forward: h decayed, h times the mask, the c
// before, the projection's input where nothing is saved. Backward: the carries of c or h, these as decay
// left them, the carry of zoneout.
template <class T, class Cell>
int64_t side_width(const recurra_run* run, bool backward) {
    const int64_t pad = padded<T>(*run), outputs = padded_outputs<T>(*run);
    if (backward) return (Cell::carries ? pad + (run->decay ? pad : 0) : 0) + (run->zoneout_h ? outputs : 0);
    return (run->decay ? outputs : 0) + (run->recurrent ? outputs : 0) + (run->zoneout_c ? pad : 0) +
           (run->w_hr ? pad : 0);
}

// Columns begin .. begin + count.
struct Range {
    int64_t begin, count;
};

// The units whose heads the units from `begin` to before `end` belong to: all that one can feel of h.
RECURRA_INLINE Range felt(const recurra_run& run, int64_t begin, int64_t end) {
    if (run.heads <= 1) return {0, outputs_of(run)};
    const int64_t size = head_size(run), first = begin / size * size;
    return {first, smaller(round_up(smaller(end, run.hidden), size), run.hidden) - first};
}

// Vectors of a block, at most `most`: no more than a head has, lest a block feel several.
template <class T>
RECURRA_INLINE int64_t vectors_of_head(const recurra_run& run, int64_t most) {
    return run.heads <= 1 ? most : larger(1, smaller(most, head_size(run) / lanes<T>));
}

// The most that a block of `most` vectors feels.
template <class T>
RECURRA_INLINE int64_t most_felt(const recurra_run& run, int64_t most) {
    if (run.heads <= 1) return outputs_of(run);
    const int64_t size = head_size(run), units = vectors_of_head<T>(run, most) * lanes<T>;
    return smaller(run.hidden, (divide_up(units - 1, size) + 1) * size);
}

// The projection's panels: a row for each unit going forward, for each output going back.
template <class T>
struct ProjectionPanels {
    Blocks blocks;
    int64_t rows;

    ProjectionPanels(const recurra_run& run, bool backward)
        : blocks(divide_up(!run.w_hr ? 0 : backward ? run.hidden : run.outputs, lanes<T>), tile_vectors),
          rows(backward ? run.outputs : run.hidden) {}

    int64_t size() const { return blocks.vectors * rows * lanes<T>; }
    int64_t offset(int64_t block) const { return blocks.begin(block) * rows * lanes<T>; }
};

// finish(sums, row, column) for rows times the panels: from(row) is what is multiplied.
template <class T, class From, class Finish>
RECURRA_INLINE void project_rows(const ProjectionPanels<T>& panels, const T* packed, int64_t count, From from,
                                 Finish finish) {
    for (int64_t block = 0; block < panels.blocks.count; ++block) {
        const T* panel = packed + panels.offset(block);
        int64_t column = panels.blocks.begin(block) * lanes<T>;
        with_constant<tile_vectors>(panels.blocks.width(block), [&](auto w) {
            over_tiles(0, count, [&](int64_t row, auto r) {
                constexpr int R = decltype(r)::value, W = decltype(w)::value;
                Tile<T, R, W> tile = {};
                multiply<T, R, W, W, W>(tile, [&](int i) { return from(row + i); }, panels.rows, 1, panel);
                for (int i = 0; i < R; ++i)
                    for (int v = 0; v < W; ++v) finish(tile.at[i][v], row + i, column + v * lanes<T>);
            });
        });
    }
}

// Where the masks of zoneout stand for a row at time t; null for none.
template <class T>
RECURRA_INLINE const T* kept_h(const recurra_run& run, int64_t t, int64_t row) {
    const T* kept = static_cast<const T*>(run.zoneout_h);
    return kept ? kept + t * run.zoneout_h_step + row * run.zoneout_h_row : nullptr;
}

template <class T>
RECURRA_INLINE const T* kept_c(const recurra_run& run, int64_t t, int64_t row) {
    const T* kept = static_cast<const T*>(run.zoneout_c);
    return kept ? kept + t * run.zoneout_c_step + row * run.zoneout_c_row : nullptr;
}

template <class T>
RECURRA_INLINE const T* decay_of(const recurra_run& run, int64_t t, int64_t row) {
    const T* decay = static_cast<const T*>(run.decay);
    return decay ? decay + t * run.decay_step + row * run.decay_row : nullptr;
}

template <class T>
RECURRA_INLINE const T* mask_of(const recurra_run& run, int64_t row) {
    const T* mask = static_cast<const T*>(run.recurrent);
    return mask ? mask + row * run.recurrent_row : nullptr;
}

// n products, padded with zeros to whole vectors.
template <class T>
RECURRA_INLINE void multiply_rows(T* to, const T* one, const T* other, int64_t n) {
    for (int64_t u = 0; u < n; u += lanes<T>) store(to + u, load_first(one + u, n - u) * load_first(other + u, n - u));
}

// Before the tiles of a forward step: what they read and write is turned to the side.
template <class T, class Cell>
RECURRA_APART void before_tiles(const recurra_run& run, const int64_t* order, const int64_t* times,
                                int64_t rank_step, int64_t active, Row<T>* rows, T* const* sides) {
    const Layout<T, Cell> layout(run);
    for (int64_t i = 0; i < active; ++i) {
        Row<T>& row = rows[i];
        T* side = sides[i];
        if (const T* decay = decay_of<T>(run, times[i], order[i * rank_step])) {
            if (row.h) {
                multiply_rows(side, row.h, decay, run.hidden);
                row.h = row.fed = side;
            }
            if constexpr (Cell::has_cell)
                for (int64_t u = 0; u < run.hidden; ++u) row.c[u] *= decay[u];
            side += padded_outputs<T>(run);
        }
        if (const T* mask = mask_of<T>(run, order[i * rank_step])) {
            if (row.h) {
                multiply_rows(side, row.h, mask, outputs_of(run));
                row.fed = side;
            }
            side += padded_outputs<T>(run);
        }
        if constexpr (Cell::has_cell) {
            if (run.zoneout_c) {
                for (int64_t u = 0; u < run.hidden; u += lanes<T>) store(side + u, load_first(row.c + u, run.hidden - u));
                side += padded<T>(run);
            }
            if (run.w_hr) row.y = row.slot ? row.slot + layout.read : side;
        }
    }
}

// k * before + (1 - k) * after.
template <class T>
RECURRA_INLINE Vector<T> blend(const T* kept, const T* before, Vector<T> after, int64_t unit, int64_t n) {
    Vector<T> k = load_first(kept + unit, n);
    return (before ? k * load_first(before + unit, n) : Vector<T>{}) + (T(1) - k) * after;
}

// After them: the projection, then zoneout. `outputs[i]` is where the step's h belongs.
template <class T, class Cell>
RECURRA_APART void after_tiles(const Pass& pass, const T* projection, const int64_t* order, const int64_t* times,
                               int64_t rank_step, int64_t active, Row<T>* rows, T* const* outputs, T* const* sides) {
    const recurra_run& run = *pass.run;
    const Layout<T, Cell> layout(run);
    const int64_t hidden = run.hidden, width = outputs_of(run);
    if constexpr (Cell::has_cell) {
        if (run.w_hr)
            project_rows<T>(ProjectionPanels<T>(run, false), projection, active,
                            [&](int64_t i) -> const T* { return rows[i].y; },
                            [&](Vector<T> sum, int64_t i, int64_t at) { store_first(outputs[i] + at, sum, width - at); });
    }
    for (int64_t i = 0; i < active; ++i) {
        const int64_t row = order[i * rank_step];
        if constexpr (Cell::has_cell) {
            if (const T* kept = kept_c<T>(run, times[i], row)) {
                const int parts_of_h = (run.decay ? 1 : 0) + (run.recurrent ? 1 : 0);
                const T* before = sides[i] + parts_of_h * padded_outputs<T>(run);
                T *c = rows[i].c, *slot = rows[i].slot;
                for (int64_t u = 0; u < hidden; u += lanes<T>) {
                    Vector<T> blended = blend(kept, before, load_first(c + u, hidden - u), u, hidden - u);
                    store_first(c + u, blended, hidden - u);
                    if (slot) store(slot + layout.c + u, blended);
                }
            }
        }
        if (const T* kept = kept_h<T>(run, times[i], row)) {
            T *y = outputs[i], *slot = rows[i].slot;
            for (int64_t u = 0; u < width; u += lanes<T>) {
                Vector<T> after = load_first(y + u, width - u);
                // An Elman cell goes back from its own answer.
                if (!Cell::carries && slot) store(slot + u, after);
                store_first(y + u, blend(kept, rows[i].h, after, u, width - u), width - u);
            }
        }
    }
}

// The gradient of h after a step, from what its product brought: what passes by is added.
template <class T>
RECURRA_INLINE Vector<T> arrived(Vector<T> dh, const BackRow<T>& row, int64_t unit, int64_t n) {
    if (row.mask && row.next) dh *= load_first(row.mask + unit, n);
    if (row.h_carry) dh += load(row.h_carry + unit);
    return dh;
}

// Back through a decay: the gradient of h after a step, from that of h as the next step found it, of which
// all has arrived. The carry of c likewise.
template <class T, class Cell>
RECURRA_INLINE Vector<T> through_decay(Vector<T> dh, const BackRow<T>& row, int64_t unit, int64_t n) {
    const Vector<T> decay = load_first(row.decay + unit, n);
    if (Cell::carries && !Cell::has_cell) {
        dh += load(row.carry + unit);
        store(row.carry + unit, Vector<T>{});
    }
    Vector<T> of_decay = row.h_left ? dh * load_first(row.h_left + unit, n) : Vector<T>{};
    if constexpr (Cell::has_cell) {
        const Vector<T> dc = load(row.carry + unit);
        if (row.c_left) of_decay += dc * load_first(row.c_left + unit, n);
        store(row.carry + unit, decay * dc);
    }
    if (row.ddecay) store_first(row.ddecay + unit, of_decay, n);
    return decay * dh;
}

// What through_decay needs: the decay of a row's next step, at time t, and the h and c before it.
template <class T>
RECURRA_INLINE void next_decay(const recurra_run& run, int64_t t, int64_t record, const T* h, const T* c,
                               BackRow<T>& row) {
    row.decay = row.next ? decay_of<T>(run, t, record) : nullptr;
    row.h_left = h, row.c_left = c;
    T* ddecay = static_cast<T*>(run.ddecay);
    row.ddecay = ddecay ? ddecay + t * run.ddecay_step + record * run.ddecay_row : nullptr;
}

// What a row's present step, at time t, found of h or c after its own decay: what its cell asks for.
template <class T, class Cell>
RECURRA_APART void found_state(const recurra_run& run, int64_t t, int64_t record, BackRow<T>& row) {
    const T* decay = decay_of<T>(run, t, record);
    if constexpr (Cell::carries) {
        const T*& before = Cell::has_cell ? row.c : row.h;
        T* found = row.carry + padded<T>(run);
        if (!before) return;
        multiply_rows(found, before, decay, run.hidden);
        before = found;
        row.c_pad = lanes<T>;
    }
}

// Backward through the cell, a vector of units wide, `dh` the gradient of what the cell answered.
template <class T, class Cell>
RECURRA_APART void back_through(const recurra_run& run, Vector<T> dh, const BackRow<T>& row, int64_t unit,
                                int64_t pad, int64_t n) {
    Vector<T> kept = {};
    if (row.kept_c) {
        kept = load_first(row.kept_c + unit, n);
        Vector<T> dc = load(row.carry + unit);
        store(row.carry + unit, (T(1) - kept) * dc);
        kept *= dc;
    }
    if (run.w_ch) Cell::template backward<1, true>(run, {{dh}}, &row, unit, pad, n);
    else Cell::template backward<1>(run, {{dh}}, &row, unit, pad, n);
    if (row.kept_c) store(row.carry + unit, load(row.carry + unit) + kept);
}

// Backward through a step as far as its product's gradient `dh` leads: to the gates, or with a
// projection to the gradient of what it gave.
template <class T, class Cell>
RECURRA_APART void back_to(const recurra_run& run, Vector<T> dh, const BackRow<T>& row, int64_t unit, int64_t pad,
                           int64_t n) {
    dh = arrived(dh, row, unit, n);
    if (row.decay) dh = through_decay<T, Cell>(dh, row, unit, n);
    if (row.dy) dh += load_first(row.dy + unit, n);
    if (row.kept_h) {
        if (Cell::carries && !Cell::has_cell) {  // what passes by a GRU's product is h's too
            dh += load(row.carry + unit);
            store(row.carry + unit, Vector<T>{});
        }
        Vector<T> kept = load_first(row.kept_h + unit, n);
        store(row.h_carry + unit, kept * dh);
        dh = (T(1) - kept) * dh;
    }
    if (row.dh) return store(row.dh + unit, dh);
    back_through<T, Cell>(run, dh, row, unit, pad, n);
}

}  // namespace RECURRA_ISA

// The cells: how gates become a state, and how a state's gradient becomes the gates'.
//
// A cell reads the sums of its gates for one vector of units and finishes them in registers.
// Of each vector of units `parts` sums are held: the input gives to the first `gates` of them, the
// state to the same, but from `gap` on one further (a GRU keeps apart what the state gives to its new
// value). `units` vectors of units share a tile.
//
// A slot is what one row keeps of one step: `slot_parts` arrays as wide as the padded state. Going
// back, they become the gradients of the sums: `gates` arrays from `x_from` on are those of the input's
// product, in the order `x_gate`, from `h_from` on those of the state's.
#pragma once

#include "recurra.h"
#include "tile.hpp"

namespace RECURRA_ISA {

// One row at one step. Pointers stand at the step's first unit.
template <class T>
struct Row {
    const T* x;
    const T* h;       // the state before
    const T* fed;     // what the product reads of it
    T* y;             // where the cell puts its answer
    T* c;             // LSTM: the running cell state, in place
    T* slot;          // null when nothing is saved
};

// What a backward step knows of a row.
template <class T>
struct BackRow {
    const T* next;     // the slot of the step after, null in a record's last step
    const T* dhn;      // read in a record's last step; may be null: 0
    const T* dy;       // may be null: 0
    const T* h;        // the state before; null: 0
    const T* c;        // LSTM: the cell state before; null: 0
    int64_t c_pad;     // lanes that may be read from c beyond its width
    const T* y;        // what the cell answered
    T* carry;          // what of the gradient passes by the matrix product
    T* slot;

    // Of the options, each null without its option.
    const T* mask;                 // recurrent dropout
    const T *kept_h, *kept_c;      // zoneout
    T* h_carry;                    // what of h's gradient passes by the whole cell
    const T *decay, *h_left, *c_left;  // decay: how the step after found h and c, which were these
    T* ddecay;                     // its gradient; may be null
    T* dh;                         // projection: the gradient of what it gave
};

// With `Coupled` without the gate i, which is 1 - f.
template <class T, bool Coupled>
struct Lstm {
    static constexpr int gates = Coupled ? 3 : 4, parts = gates, gap = gates, slot_parts = gates + 1, units = 1;
    static constexpr int x_from = 0, h_from = 0;
    static constexpr bool has_cell = true, carries = true;
    static constexpr int x_gate(int i) { return i; }
    static constexpr int h_gate(int i) { return i; }
    static constexpr int F = gates - 3, G = gates - 2, O = gates - 1, C = gates;  // parts of a slot
    using V = Vector<T>;

    // The peepholes of i, f or o, whose place among them is that of their gate but for o.
    static RECURRA_INLINE V peephole(const recurra_run& run, int gate, int64_t unit, int64_t n) {
        return load_first(static_cast<const T*>(run.w_ch) + (gate - (gate == O)) * run.hidden + unit, n);
    }

    template <bool Seen>
    static RECURRA_INLINE void finish(const recurra_run& run, V i, V f, V g, V o, const Row<T>& row, int64_t unit,
                                      int64_t pad, int64_t n) {
        V before = load_first(row.c + unit, n);
        if constexpr (Seen) {
            if constexpr (!Coupled) i += peephole(run, 0, unit, n) * before;
            f += peephole(run, F, unit, n) * before;
        }
        f = sigmoid(f), g = hyperbolic_tangent(g);
        i = Coupled ? T(1) - f : sigmoid(i);
        V c = f * before + i * g;
        if constexpr (Seen) o += peephole(run, O, unit, n) * c;
        o = sigmoid(o);
        store_first(row.c + unit, c, n);
        store_first(row.y + unit, o * hyperbolic_tangent(c), n);
        if (!row.slot) return;
        T* slot = row.slot + unit;
        if constexpr (!Coupled) store(slot, i);
        store(slot + F * pad, f), store(slot + G * pad, g), store(slot + O * pad, o), store(slot + C * pad, c);
    }

    // Apart, so that cells without peepholes pay no more than a glance.
    static RECURRA_APART void finish_seen(const recurra_run& run, V i, V f, V g, V o, const Row<T>& row,
                                          int64_t unit, int64_t pad, int64_t n) {
        finish<true>(run, i, f, g, o, row, unit, pad, n);
    }

    template <class Sum>
    static RECURRA_INLINE void forward(const recurra_run& run, const Sum* sum, const Row<T>& row, int64_t unit,
                                       int64_t pad, int64_t n) {
        if (run.w_ch) return finish_seen(run, sum[0], sum[F], sum[G], sum[O], row, unit, pad, n);
        finish<false>(run, sum[0], sum[F], sum[G], sum[O], row, unit, pad, n);
    }

    template <bool Seen = false>
    static RECURRA_INLINE void backward(const recurra_run& run, V dh, const BackRow<T>& row, int64_t unit,
                                        int64_t pad, int64_t n) {
        T* slot = row.slot + unit;
        V f = load(slot + F * pad), g = load(slot + G * pad), o = load(slot + O * pad);
        V i = Coupled ? T(1) - f : load(slot), t = hyperbolic_tangent(load(slot + C * pad));
        V before = row.c ? load_first(row.c + unit, n + row.c_pad) : V{};
        V of_o = dh * t * o * (T(1) - o);
        V dc = load(row.carry + unit) + dh * o * (T(1) - t * t);
        if constexpr (Seen) dc += of_o * peephole(run, O, unit, n);
        V of_i = dc * g * i * (T(1) - i);
        V of_f = dc * (Coupled ? before - g : before) * f * (T(1) - f);
        V passed = dc * f;
        if constexpr (Seen) {
            passed += of_f * peephole(run, F, unit, n);
            if constexpr (!Coupled) passed += of_i * peephole(run, 0, unit, n);
        }
        store(row.carry + unit, passed);
        if constexpr (!Coupled) store(slot, of_i);
        store(slot + F * pad, of_f);
        store(slot + G * pad, dc * i * (T(1) - g * g));
        store(slot + O * pad, of_o);
    }
};

template <class T>
struct Gru {
    // Sums: reset, update, new from the input, new from the state. In a slot: new from the input,
    // reset, update, new from the state, so that both products read three in a row.
    static constexpr int gates = 3, parts = 4, gap = 2, slot_parts = 4, units = 1;
    static constexpr int x_from = 0, h_from = 1;
    static constexpr bool has_cell = false, carries = true;
    static constexpr int x_gate(int i) { return (i + 2) % 3; }
    static constexpr int h_gate(int i) { return i; }
    using V = Vector<T>;

    template <class Sum>
    static RECURRA_INLINE void forward(const recurra_run&, const Sum* sum, const Row<T>& row, int64_t unit,
                                       int64_t pad, int64_t n) {
        V r = sigmoid(sum[0]), z = sigmoid(sum[1]);
        V m = hyperbolic_tangent(sum[2] + r * sum[3]);
        V h = row.h ? load_first(row.h + unit, n) : V{};
        store_first(row.y + unit, m + z * (h - m), n);
        if (!row.slot) return;
        T* slot = row.slot + unit;
        store(slot, m), store(slot + pad, r), store(slot + 2 * pad, z), store(slot + 3 * pad, sum[3]);
    }

    template <bool = false>
    static RECURRA_INLINE void backward(const recurra_run&, V dh, const BackRow<T>& row, int64_t unit,
                                        int64_t pad, int64_t n) {
        T* slot = row.slot + unit;
        dh += load(row.carry + unit);
        V m = load(slot), r = load(slot + pad), z = load(slot + 2 * pad), s = load(slot + 3 * pad);
        V h = row.h ? load_first(row.h + unit, n) : V{};
        V dm = dh * (T(1) - z) * (T(1) - m * m);
        store(row.carry + unit, dh * z);
        store(slot, dm);
        store(slot + pad, dm * s * r * (T(1) - r));
        store(slot + 2 * pad, dh * (h - m) * z * (T(1) - z));
        store(slot + 3 * pad, dm * r);
    }
};

template <class T>
struct Elman {
    static constexpr int gates = 1, parts = 1, gap = 1, slot_parts = 1, units = tile_vectors;
    static constexpr int x_from = 0, h_from = 0;
    static constexpr bool has_cell = false, carries = false;
    static constexpr int x_gate(int i) { return i; }
    static constexpr int h_gate(int i) { return i; }
    using V = Vector<T>;

    template <class Sum>
    static RECURRA_INLINE void forward(const recurra_run& run, const Sum* sum, const Row<T>& row,
                                       int64_t unit, int64_t, int64_t n) {
        V s = sum[0];
        if (run.activation == RECURRA_TANH) s = hyperbolic_tangent(s);
        else if (run.activation == RECURRA_RELU) s = s < T(0) ? V{} : s;
        else s = sigmoid(s);
        store_first(row.y + unit, s, n);
    }

    template <bool = false>
    static RECURRA_INLINE void backward(const recurra_run& run, V dh, const BackRow<T>& row, int64_t unit,
                                        int64_t, int64_t n) {
        V h = load_first(row.y + unit, n);
        if (run.activation == RECURRA_TANH) dh = dh * (T(1) - h * h);
        else if (run.activation == RECURRA_RELU) dh = h <= T(0) ? V{} : dh;  // a NaN passes
        else dh = dh * h * (T(1) - h);
        store(row.slot + unit, dh);
    }
};

}  // namespace RECURRA_ISA

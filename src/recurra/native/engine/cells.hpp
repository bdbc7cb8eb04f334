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
    T* y;
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
    const T* y;
    T* carry;          // what of the gradient passes by the matrix product
    T* slot;
};

template <class T>
struct Lstm {
    static constexpr int gates = 4, parts = 4, gap = 4, slot_parts = 5, units = 1;
    static constexpr int x_from = 0, h_from = 0;
    static constexpr bool has_cell = true, carries = true;
    static constexpr int x_gate(int i) { return i; }
    static constexpr int h_gate(int i) { return i; }
    using V = Vector<T>;

    template <class Sum>
    static RECURRA_INLINE void forward(const recurra_run&, const Sum* sum, const Row<T>& row, int64_t unit,
                                       int64_t pad, int64_t n) {
        V i = sigmoid(sum[0]), f = sigmoid(sum[1]), g = hyperbolic_tangent(sum[2]);
        V o = sigmoid(sum[3]);
        V c = f * load_first(row.c + unit, n) + i * g;
        store_first(row.c + unit, c, n);
        store_first(row.y + unit, o * hyperbolic_tangent(c), n);
        if (!row.slot) return;
        T* slot = row.slot + unit;
        store(slot, i), store(slot + pad, f), store(slot + 2 * pad, g), store(slot + 3 * pad, o);
        store(slot + 4 * pad, c);
    }

    static RECURRA_INLINE void backward(const recurra_run&, V dh, const BackRow<T>& row, int64_t unit,
                                        int64_t pad, int64_t n) {
        T* slot = row.slot + unit;
        V i = load(slot), f = load(slot + pad), g = load(slot + 2 * pad), o = load(slot + 3 * pad);
        V t = hyperbolic_tangent(load(slot + 4 * pad));
        V before = row.c ? load_first(row.c + unit, n + row.c_pad) : V{};
        V dc = load(row.carry + unit) + dh * o * (T(1) - t * t);
        store(row.carry + unit, dc * f);
        store(slot, dc * g * i * (T(1) - i));
        store(slot + pad, dc * before * f * (T(1) - f));
        store(slot + 2 * pad, dc * i * (T(1) - g * g));
        store(slot + 3 * pad, dh * t * o * (T(1) - o));
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

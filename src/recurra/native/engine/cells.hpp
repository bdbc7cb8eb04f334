// The cells: how gates become a state, and how a state's gradient becomes the gates'.
//
// A cell reads the sums of its gates for one vector of units, of N rows at once, and finishes them in
// registers. What a pointer of one row lacks, that of the other rows lacks too.
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

// The vector at an address of each row.
template <class T, int N, class At>
RECURRA_INLINE Several<T, N> load_each(At at) {
    return of_each<T, N>([&](int r) { return load(at(r)); });
}

template <class T, int N, class At>
RECURRA_INLINE Several<T, N> load_first_each(int64_t n, At at) {
    return of_each<T, N>([&](int r) { return load_first(at(r), n); });
}

template <class T, int N, class At>
RECURRA_INLINE void store_each(const Several<T, N>& v, At at) {
    RECURRA_UNROLL
    for (int r = 0; r < N; ++r) store(at(r), v.at[r]);
}

template <class T, int N, class At>
RECURRA_INLINE void store_first_each(const Several<T, N>& v, int64_t n, At at) {
    RECURRA_UNROLL
    for (int r = 0; r < N; ++r) store_first(at(r), v.at[r], n);
}

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

    template <bool Seen, int N>
    static RECURRA_INLINE void finish(const recurra_run& run, Several<T, N> i, Several<T, N> f, Several<T, N> g,
                                      Several<T, N> o, const Row<T>* rows, int64_t unit, int64_t pad, int64_t n) {
        auto before = load_first_each<T, N>(n, [&](int r) { return rows[r].c + unit; });
        if constexpr (Seen) {
            if constexpr (!Coupled) i = i + peephole(run, 0, unit, n) * before;
            f = f + peephole(run, F, unit, n) * before;
        }
        f = sigmoid(f), g = hyperbolic_tangent(g);
        if constexpr (Coupled) i = T(1) - f;
        else i = sigmoid(i);
        auto c = f * before + i * g;
        if constexpr (Seen) o = o + peephole(run, O, unit, n) * c;
        o = sigmoid(o);
        store_first_each(c, n, [&](int r) { return rows[r].c + unit; });
        store_first_each(o * hyperbolic_tangent(c), n, [&](int r) { return rows[r].y + unit; });
        if (!rows[0].slot) return;
        auto keep = [&](const Several<T, N>& v, int part) {
            store_each(v, [&](int r) { return rows[r].slot + unit + part * pad; });
        };
        if constexpr (!Coupled) keep(i, 0);
        keep(f, F), keep(g, G), keep(o, O), keep(c, C);
    }

    // Apart, so that cells without peepholes pay no more than a glance.
    template <int N>
    static RECURRA_APART void finish_seen(const recurra_run& run, Several<T, N> i, Several<T, N> f, Several<T, N> g,
                                          Several<T, N> o, const Row<T>* rows, int64_t unit, int64_t pad, int64_t n) {
        finish<true>(run, i, f, g, o, rows, unit, pad, n);
    }

    template <int N, class Sum>
    static RECURRA_INLINE void forward(const recurra_run& run, Sum sum, const Row<T>* rows, int64_t unit,
                                       int64_t pad, int64_t n) {
        if (run.w_ch) return finish_seen<N>(run, sum(0), sum(F), sum(G), sum(O), rows, unit, pad, n);
        finish<false, N>(run, sum(0), sum(F), sum(G), sum(O), rows, unit, pad, n);
    }

    template <int N, bool Seen = false>
    static RECURRA_INLINE void backward(const recurra_run& run, const Several<T, N>& dh, const BackRow<T>* rows,
                                        int64_t unit, int64_t pad, int64_t n) {
        using S = Several<T, N>;
        auto part = [&](int at) {
            return load_each<T, N>([&](int r) { return rows[r].slot + unit + at * pad; });
        };
        auto put = [&](const S& v, int at) {
            store_each(v, [&](int r) { return rows[r].slot + unit + at * pad; });
        };
        auto carry = [&](int r) { return rows[r].carry + unit; };
        const S t = hyperbolic_tangent(part(C)), o = part(O);
        const S let_out = dh * o, of_o = let_out * t * (T(1) - o);
        S dc = load_each<T, N>(carry) + let_out * (T(1) - t * t);
        if constexpr (Seen) dc = dc + peephole(run, O, unit, n) * of_o;
        put(of_o, O);
        const S f = part(F), g = part(G);
        S i;
        if constexpr (Coupled) i = T(1) - f;
        else i = part(0);
        const S let_in = dc * i, of_i = let_in * g * (T(1) - i);
        put(let_in * (T(1) - g * g), G);
        S before = {}, passed = dc * f;
        if (rows[0].c) before = load_first_each<T, N>(n + rows[0].c_pad, [&](int r) { return rows[r].c + unit; });
        S of_f;
        if constexpr (Coupled) of_f = passed * (before - g) * (T(1) - f);
        else of_f = passed * before * (T(1) - f);
        if constexpr (Seen) {
            passed = passed + peephole(run, F, unit, n) * of_f;
            if constexpr (!Coupled) passed = passed + peephole(run, 0, unit, n) * of_i;
        }
        store_each(passed, carry);
        if constexpr (!Coupled) put(of_i, 0);
        put(of_f, F);
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

    template <int N, class Sum>
    static RECURRA_INLINE void forward(const recurra_run&, Sum sum, const Row<T>* rows, int64_t unit, int64_t pad,
                                       int64_t n) {
        auto r = sigmoid(sum(0)), z = sigmoid(sum(1)), s = sum(3);
        auto m = hyperbolic_tangent(sum(2) + r * s);
        Several<T, N> h = {};
        if (rows[0].h) h = load_first_each<T, N>(n, [&](int r) { return rows[r].h + unit; });
        store_first_each(m + z * (h - m), n, [&](int r) { return rows[r].y + unit; });
        if (!rows[0].slot) return;
        auto keep = [&](const Several<T, N>& v, int part) {
            store_each(v, [&](int r) { return rows[r].slot + unit + part * pad; });
        };
        keep(m, 0), keep(r, 1), keep(z, 2), keep(s, 3);
    }

    template <int N, bool = false>
    static RECURRA_INLINE void backward(const recurra_run&, const Several<T, N>& of_product, const BackRow<T>* rows,
                                        int64_t unit, int64_t pad, int64_t n) {
        using S = Several<T, N>;
        auto part = [&](int at) {
            return load_each<T, N>([&](int r) { return rows[r].slot + unit + at * pad; });
        };
        auto put = [&](const S& v, int at) {
            store_each(v, [&](int r) { return rows[r].slot + unit + at * pad; });
        };
        auto carry = [&](int r) { return rows[r].carry + unit; };
        const S dh = of_product + load_each<T, N>(carry);
        const S m = part(0), r = part(1), z = part(2), s = part(3);
        S h = {};
        if (rows[0].h) h = load_first_each<T, N>(n, [&](int r) { return rows[r].h + unit; });
        const S dm = dh * (T(1) - z) * (T(1) - m * m), kept = dh * z, of_s = dm * r;
        store_each(kept, carry);
        put(dm, 0), put(of_s * s * (T(1) - r), 1), put(kept * (h - m) * (T(1) - z), 2), put(of_s, 3);
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

    template <int N, class Sum>
    static RECURRA_INLINE void forward(const recurra_run& run, Sum sum, const Row<T>* rows, int64_t unit, int64_t,
                                       int64_t n) {
        auto s = sum(0);
        if (run.activation == RECURRA_TANH) s = hyperbolic_tangent(s);
        else if (run.activation == RECURRA_RELU)
            s = of_each<T, N>([&](int r) { return s.at[r] < T(0) ? V{} : s.at[r]; });
        else s = sigmoid(s);
        store_first_each(s, n, [&](int r) { return rows[r].y + unit; });
    }

    template <int N, bool = false>
    static RECURRA_INLINE void backward(const recurra_run& run, const Several<T, N>& dh, const BackRow<T>* rows,
                                        int64_t unit, int64_t, int64_t n) {
        const auto h = load_first_each<T, N>(n, [&](int r) { return rows[r].y + unit; });
        Several<T, N> sum;
        if (run.activation == RECURRA_TANH) sum = dh * (T(1) - h * h);
        else if (run.activation == RECURRA_RELU)  // a NaN passes
            sum = of_each<T, N>([&](int r) { return h.at[r] <= T(0) ? V{} : dh.at[r]; });
        else sum = dh * h * (T(1) - h);
        store_each(sum, [&](int r) { return rows[r].slot + unit; });
    }
};

}  // namespace RECURRA_ISA

// The one inner loop of the engine: a few rows times a panel of packed weights, in registers.
#pragma once

#include "vector.hpp"

namespace RECURRA_ISA {

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
constexpr int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

// Rows and vectors of a tile: what fits into the registers with room for a row of the panel.
#if defined(RECURRA_ISA_AVX512)
constexpr int tile_rows = 6;
#else
constexpr int tile_rows = 3;
#endif
constexpr int tile_vectors = 4;

template <class T, int R, int V>
struct Tile {
    Vector<T> at[R][V];

    RECURRA_INLINE Several<T, R> column(int v) const {
        return of_each<T, R>([&](int r) { return at[r][v]; });
    }
};

// So many products are added up by themselves before they join the sum: long running sums lose digits.
constexpr int64_t products_together = 128;

// at[r][v] += sum over k < n of a_r[k * step] * panel[k][v]: in an order that does not depend on R, so
// that no answer depends on how many rows share a tile. A row of the panel is P vectors wide and the
// next begins `stride` numbers on. Vectors from `Gap` on add to the sum one further.
template <class T, int R, int V, int P, int Gap, class Row>
RECURRA_INLINE void multiply(Tile<T, R, V>& tile, Row row, int64_t n, int64_t step, const T* panel,
                             int64_t stride = P * lanes<T>) {
    const T* a[R];
    RECURRA_UNROLL
    for (int r = 0; r < R; ++r) a[r] = row(r);
    for (int64_t at = 0; n > 0; n -= products_together) {
        Vector<T> sum[R][P] = {};
        int64_t left = smaller(n, products_together);
        do {
            Vector<T> w[P];
            RECURRA_UNROLL
            for (int v = 0; v < P; ++v) w[v] = load(panel + v * lanes<T>);
            RECURRA_UNROLL
            for (int r = 0; r < R; ++r) {
                Vector<T> value = broadcast(a[r][at]);
                RECURRA_UNROLL
                for (int v = 0; v < P; ++v) sum[r][v] += value * w[v];
            }
            panel += stride;
            at += step;
        } while (--left);
        RECURRA_UNROLL
        for (int r = 0; r < R; ++r) {
            RECURRA_UNROLL
            for (int v = 0; v < P; ++v) tile.at[r][v + (v >= Gap)] += sum[r][v];
        }
    }
}

template <int N>
struct Constant {
    static constexpr int value = N;
};

// Calls f(Constant<n>) for n in 1 .. Most.
template <int Most, class F>
RECURRA_INLINE void with_constant(int64_t n, F&& f) {
    static_assert(Most >= 1 && Most <= 6);
    switch (n) {
        case 1: return f(Constant<1>{});
        case 2: if constexpr (Most >= 2) f(Constant<2>{}); return;
        case 3: if constexpr (Most >= 3) f(Constant<3>{}); return;
        case 4: if constexpr (Most >= 4) f(Constant<4>{}); return;
        case 5: if constexpr (Most >= 5) f(Constant<5>{}); return;
        case 6: if constexpr (Most >= 6) f(Constant<6>{}); return;
    }
}

// Cuts rows into tiles of nearly equal height and calls f(first row, Constant<height>).
template <class F>
RECURRA_INLINE void over_tiles(int64_t begin, int64_t end, F&& f) {
    int64_t left = divide_up(end - begin, tile_rows);
    for (int64_t row = begin; left > 0; --left) {
        int64_t height = divide_up(end - row, left);
        with_constant<tile_rows>(height, [&](auto rows) { f(row, rows); });
        row += height;
    }
}

// Columns in vectors, cut into blocks of at most `most` vectors, nearly equal.
struct Blocks {
    int64_t vectors, count;

    constexpr Blocks(int64_t vectors, int64_t most) : vectors(vectors), count(divide_up(vectors, most)) {}
    constexpr int64_t begin(int64_t block) const { return vectors * block / count; }
    constexpr int64_t width(int64_t block) const { return begin(block + 1) - begin(block); }
};

}  // namespace RECURRA_ISA

// bfloat16 operands: two of them in one word, and the inner loop that multiplies words.
//
// A word holds the operands of k (lower half) and k + 1 (upper half), as `vdpbf16ps` and the tiles of
// AMX read them. Words travel as floats that nothing computes with. Sums are floats.
#pragma once

#include "tile.hpp"

namespace RECURRA_ISA {
namespace half {

using Floats = Vector<float>;

// Words in 64 bytes: one vector, and one row of an AMX tile. A count of words is padded to this.
constexpr int64_t line = lanes<float>;

RECURRA_INLINE int64_t words_for(int64_t n) { return round_up(divide_up(n, 2), line); }

// 32 operands, those of `first` first, to nearest and ties to even; a NaN stays one.
RECURRA_INLINE Floats halves(Floats first, Floats second) {
    return (Floats)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

// Words of the 16 pairs (a[i], b[i]).
RECURRA_INLINE Floats pairs(Floats a, Floats b) {
    alignas(64) static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                   8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (Floats)_mm512_permutexvar_epi16(_mm512_load_si512(order), (__m512i)halves(a, b));
}

// 16 operands as they lie in memory, in 32 bytes.
RECURRA_INLINE void store_halves(void* to, Floats v) {
    _mm256_storeu_si256(static_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)v));
}

// Words of the 16 pairs of two such rows; b may be null: zeros.
RECURRA_INLINE Floats pairs_of(const void* a, const void* b) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(a)));
    if (!b) return (Floats)low;
    __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(b)));
    return (Floats)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// The first n of at least 0 lanes; load_first may be asked for fewer than none.
RECURRA_INLINE Floats load_some(const float* p, int64_t n) { return n > 0 ? load_first(p, n) : Floats{}; }

// What 16 floats lose when they become operands. It is a float again, with more digits than an operand
// has: rounded to one it leaves about 2^-17 of the number.
RECURRA_INLINE Floats lost(Floats v) {
    __m512i kept = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)v));
    return v - (Floats)_mm512_slli_epi32(kept, 16);
}

// n floats as operands, and zeros to the end of the last word's line. With two `Parts`, what they
// lose stands `apart` words behind.
template <int Parts = 1>
RECURRA_INLINE void convert(float* to, const float* from, int64_t n, int64_t apart = 0) {
    for (int64_t i = 0; i < n; i += 2 * line, to += line) {
        Floats first = {}, second = {};
        if (from) first = load_some(from + i, n - i), second = load_some(from + i + line, n - i - line);
        store(to, halves(first, second));
        if constexpr (Parts == 2) store(to + apart, halves(lost(first), lost(second)));
    }
}

RECURRA_INLINE Floats broadcast_word(const float* word) {
    Floats v = (Floats)_mm512_set1_epi32(*reinterpret_cast<const int32_t __attribute__((may_alias))*>(word));
    __asm__("" : "+v"(v));  // kept in a register, as in broadcast()
    return v;
}

RECURRA_INLINE Floats dot(Floats sum, Floats a, Floats b) {
    return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

// multiply() of tile.hpp over n words: at[r][v] += sum of a_r[k * step] . panel[k][v].
template <int R, int V, int P, int Gap, class Row>
RECURRA_INLINE void multiply(Tile<float, R, V>& tile, Row row, int64_t n, int64_t step, const float* panel,
                             int64_t stride = P * line) {
    if (n <= 0) return;
    const float* a[R];
    RECURRA_UNROLL
    for (int r = 0; r < R; ++r) a[r] = row(r);
    Floats sum[R][P];
    RECURRA_UNROLL
    for (int r = 0; r < R; ++r) {
        RECURRA_UNROLL
        for (int v = 0; v < P; ++v) sum[r][v] = tile.at[r][v + (v >= Gap)];
    }
    int64_t at = 0;
    do {
        Floats w[P];
        RECURRA_UNROLL
        for (int v = 0; v < P; ++v) w[v] = load(panel + v * line);
        RECURRA_UNROLL
        for (int r = 0; r < R; ++r) {
            Floats value = broadcast_word(a[r] + at);
            RECURRA_UNROLL
            for (int v = 0; v < P; ++v) sum[r][v] = dot(sum[r][v], value, w[v]);
        }
        panel += stride;
        at += step;
    } while (--n);
    RECURRA_UNROLL
    for (int r = 0; r < R; ++r) {
        RECURRA_UNROLL
        for (int v = 0; v < P; ++v) tile.at[r][v + (v >= Gap)] = sum[r][v];
    }
}

}  // namespace half
}  // namespace RECURRA_ISA

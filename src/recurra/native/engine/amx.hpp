// The tiles of AMX: eight registers of 16 rows of 64 bytes, and the product of two of them.
//
// Written out as instructions, since the number of a register must be known to the assembler. For
// tests on processors without AMX the same operations stand here in C++, with the same roundings.
#pragma once

#include "half.hpp"

#if defined(RECURRA_TILES)

namespace RECURRA_ISA {
namespace half {

constexpr int64_t tile_height = 16;  // rows of a tile, and words of a row

#if defined(RECURRA_ISA_AMX_EMULATED)

struct Registers {
    int rows[8];  // 0: not configured
    float at[8][16][16];
};
static thread_local Registers registers;

RECURRA_INLINE void load_configuration(const uint8_t* bytes) {
    registers = {};
    for (int i = 0; i < 8; ++i) registers.rows[i] = bytes[16 + 2 * i] == 64 ? bytes[48 + i] : 0;
}

RECURRA_INLINE void release_tiles() { registers = {}; }

template <int N>
RECURRA_INLINE void zero_tile() {
    for (auto& row : registers.at[N])
        for (float& x : row) x = 0;
}

template <int N>
inline __attribute__((noinline)) void load_tile(const float* from, int64_t stride) {
    if (!registers.rows[N]) __builtin_trap();
    for (int row = 0; row < registers.rows[N]; ++row) store(registers.at[N][row], load(from + row * stride));
}

template <int N>
inline __attribute__((noinline)) void store_tile(float* to, int64_t stride) {
    for (int row = 0; row < registers.rows[N]; ++row) store(to + row * stride, load(registers.at[N][row]));
}

// Numbers too small to be normal count as 0, before and after.
RECURRA_INLINE float flushed(float x) { return __builtin_fabsf(x) < 1.17549435e-38f ? __builtin_copysignf(0.0f, x) : x; }

RECURRA_INLINE float half_of(float word, int upper) {
    uint32_t bits;
    __builtin_memcpy(&bits, &word, 4);
    bits = upper ? bits & 0xffff0000u : bits << 16;
    float x;
    __builtin_memcpy(&x, &bits, 4);
    return flushed(x);
}

// Lower and upper halves are summed apart, then together, then onto what there was.
template <int To, int A, int B>
inline __attribute__((noinline)) void dot_tiles() {
    for (int row = 0; row < registers.rows[To]; ++row)
        for (int column = 0; column < 16; ++column) {
            float sum[2] = {};
            for (int k = 0; k < registers.rows[B]; ++k)
                for (int upper = 0; upper < 2; ++upper)
                    sum[upper] = flushed(__builtin_fmaf(half_of(registers.at[A][row][k], upper),
                                                        half_of(registers.at[B][k][column], upper), sum[upper]));
            float& to = registers.at[To][row][column];
            to = flushed(flushed(to) + flushed(sum[0] + sum[1]));
        }
}

#else

RECURRA_INLINE void load_configuration(const uint8_t* bytes) {
    __asm__ volatile("ldtilecfg %0" ::"m"(*reinterpret_cast<const uint8_t(*)[64]>(bytes)));
}

RECURRA_INLINE void release_tiles() { __asm__ volatile("tilerelease"); }

template <int N>
RECURRA_INLINE void zero_tile() {
    __asm__ volatile("tilezero %%tmm%c0" ::"i"(N));
}

template <int N>
RECURRA_INLINE void load_tile(const float* from, int64_t stride) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride * 4), "i"(N) : "memory");
}

template <int N>
RECURRA_INLINE void store_tile(float* to, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride * 4), "i"(N) : "memory");
}

template <int To, int A, int B>
RECURRA_INLINE void dot_tiles() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(To), "i"(A), "i"(B));
}

#endif

// Sums in tiles 0 to 3, rows of operands in 4, weights and second parts in 5 to 7. Whoever computes with tiles holds
// one of these meanwhile: nobody knows what a caller, or another library, has configured before.
class Tiles {
  public:
    explicit Tiles(int parts = 1) : parts_(parts) {}
    ~Tiles() {
        if (rows_) release_tiles();
    }

    // Rows of the sums and of the operands from now on. What the tiles held is lost.
    RECURRA_INLINE void height(int64_t rows) {
        if (rows == rows_) return;
        rows_ = rows;
        alignas(64) uint8_t bytes[64] = {1};
        for (int i = 0; i < 8; ++i) {
            bytes[16 + 2 * i] = 64;  // bytes of a row
            // 7 holds rows where operands have two parts, weights where they have one.
            bytes[48 + i] = uint8_t(i < 5 || (i == 7 && parts_ == 2) ? rows : tile_height);
        }
        load_configuration(bytes);
    }

  private:
    const int parts_;
    int64_t rows_ = 0;
};

// Calls f(Constant<n>) for n in 0 .. N - 1.
template <int N, class F>
RECURRA_INLINE void each(F&& f) {
    if constexpr (N > 0) {
        each<N - 1>(f);
        f(Constant<N - 1>{});
    }
}

// The sums of a block of rows, as `multiply` gives them: V vectors a row.
template <int V>
struct Sums {
    Floats at[tile_height][V];
};

// Starts the V sums: from rows `stride` apart, from one row for all (stride 0), or from 0.
template <int V>
RECURRA_INLINE void start_tiles(const float* from, int64_t stride) {
    each<V>([&](auto v) {
        constexpr int i = decltype(v)::value;
        if (from) load_tile<i>(from + i * line, stride);
        else zero_tile<i>();
    });
}

// The sums += rows of operands, `stride` apart, times a panel, P vectors wide, of n words, a multiple
// of a line. Vectors from Gap on add to the sum one further. With two parts of an operand, the second
// stands `rows_apart` and `panel_apart` words behind.
template <int Parts, int P, int Gap>
RECURRA_INLINE void multiply_tiles(const float* rows, int64_t stride, int64_t rows_apart, int64_t n,
                                   const float* panel, int64_t panel_apart) {
    for (int64_t k = 0; k < n; k += line) {
        load_tile<4>(rows + k, stride);
        if constexpr (Parts == 2) load_tile<7>(rows + rows_apart + k, stride);
        each<P>([&](auto v) {
            constexpr int i = decltype(v)::value, to = i + (i >= Gap);
            if constexpr (Parts == 1) {
                constexpr int weights = 5 + i % 3;
                load_tile<weights>(panel + (k * P + i) * line, P * line);
                dot_tiles<to, 4, weights>();
            } else {
                load_tile<5>(panel + (k * P + i) * line, P * line);
                load_tile<6>(panel + ((k + panel_apart) * P + i) * line, P * line);
                dot_tiles<to, 4, 5>();
                dot_tiles<to, 7, 5>();
                dot_tiles<to, 4, 6>();
            }
        });
    }
}

template <int P, int Gap>
RECURRA_INLINE void multiply_tiles(const float* rows, int64_t stride, int64_t n, const float* panel) {
    multiply_tiles<1, P, Gap>(rows, stride, 0, n, panel, 0);
}

template <int V>
RECURRA_INLINE void store_tiles(float* to, int64_t stride) {
    each<V>([&](auto v) { store_tile<decltype(v)::value>(to + decltype(v)::value * line, stride); });
}

template <int V>
RECURRA_INLINE void store_tiles(Sums<V>& sums) {
    store_tiles<V>(reinterpret_cast<float*>(&sums.at[0][0]), V * line);
}

// Calls f(first row, rows) for blocks of at most a tile's height, nearly equal.
template <class F>
RECURRA_INLINE void over_heights(int64_t begin, int64_t end, F&& f) {
    int64_t left = divide_up(end - begin, tile_height);
    for (int64_t row = begin; left > 0; --left) {
        int64_t height = divide_up(end - row, left);
        f(row, height);
        row += height;
    }
}

}  // namespace half
}  // namespace RECURRA_ISA

#endif

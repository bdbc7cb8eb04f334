// The vector of one instruction set, and the functions of a cell on it.
//
// Included once per instruction set, each time into a namespace of its own, so that no function
// compiled for a newer processor can be taken on an older one. Nothing from the standard library
// is instantiated here for the same reason.
#pragma once

#include <stdint.h>

#if defined(RECURRA_ISA_AVX512_BF16)
#define RECURRA_ISA_AVX512
#define RECURRA_ISA avx512_bf16
#elif defined(RECURRA_ISA_AMX)
#define RECURRA_ISA_AVX512
#define RECURRA_TILES
#define RECURRA_ISA amx
#elif defined(RECURRA_ISA_AMX_EMULATED)
#define RECURRA_ISA_AVX512
#define RECURRA_TILES
#define RECURRA_ISA amx_emulated
#endif

#if defined(RECURRA_ISA_AVX512)
#include <immintrin.h>
#ifndef RECURRA_ISA
#define RECURRA_ISA avx512
#endif
#define RECURRA_VECTOR_BYTES 64
#elif defined(RECURRA_ISA_AVX2)
#include <immintrin.h>
#define RECURRA_ISA avx2
#define RECURRA_VECTOR_BYTES 32
#else
#define RECURRA_ISA baseline
#define RECURRA_VECTOR_BYTES 16
#endif

#define RECURRA_INLINE inline __attribute__((always_inline))
#define RECURRA_APART __attribute__((noinline))
#define RECURRA_UNROLL _Pragma("GCC unroll 32")

namespace RECURRA_ISA {

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(RECURRA_VECTOR_BYTES)));
    typedef T loose __attribute__((vector_size(RECURRA_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
};

template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr int lanes = RECURRA_VECTOR_BYTES / int(sizeof(T));

template <class T>
struct Index;
template <>
struct Index<float> {
    typedef int32_t type;
};
template <>
struct Index<double> {
    typedef int64_t type;
};

// Lane i of the result is lane at[i] of a and b, b's lanes counting on from a's.
template <class T, class Lanes>
RECURRA_INLINE Vector<T> shuffle(Vector<T> a, Vector<T> b, Lanes at) {
#if defined(__clang__)
    Vector<T> v;
    for (int i = 0; i < lanes<T>; ++i) v[i] = at[i] < lanes<T> ? a[at[i]] : b[at[i] - lanes<T>];
    return v;
#else
    return __builtin_shuffle(a, b, at);
#endif
}

template <class T>
RECURRA_INLINE Vector<T> load(const T* p) {
    return *reinterpret_cast<const typename VectorOf<T>::loose*>(p);
}

template <class T>
RECURRA_INLINE void store(T* p, Vector<T> v) {
    *reinterpret_cast<typename VectorOf<T>::loose*>(p) = v;
}

template <class T>
RECURRA_INLINE Vector<T> broadcast(T value) {
    Vector<T> v = value - Vector<T>{};  // not plus: + 0 is work, for the sake of -0
#if defined(__x86_64__)
    // Kept in a register: folded into each multiply-add it would be loaded once for each of them.
    __asm__("" : "+v"(v));
#endif
    return v;
}

// The first n lanes, the others 0. Nothing beyond them is touched.
template <class T>
RECURRA_INLINE Vector<T> load_first(const T* p, int64_t n) {
    if (n >= lanes<T>) return load(p);
    Vector<T> v = {};
#if defined(RECURRA_ISA_AVX512)
    if constexpr (sizeof(T) == 4)
        v = (Vector<T>)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
    else
        v = (Vector<T>)_mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
#else
    for (int64_t i = 0; i < n; ++i) v[i] = p[i];
#endif
    return v;
}

template <class T>
RECURRA_INLINE void store_first(T* p, Vector<T> v, int64_t n) {
    if (n >= lanes<T>) return store(p, v);
#if defined(RECURRA_ISA_AVX512)
    if constexpr (sizeof(T) == 4)
        _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), (__m512)v);
    else
        _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), (__m512d)v);
#else
    for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// The same vector of units of N rows. What is done to it is done to one row after the other, so that the
// processor has work for the others while one waits: a cell is a long chain of steps.
template <class T, int N>
struct Several {
    Vector<T> at[N];
};

template <class T, int N, class F>
RECURRA_INLINE Several<T, N> of_each(F&& f) {
    Several<T, N> all;
    RECURRA_UNROLL
    for (int i = 0; i < N; ++i) all.at[i] = f(i);
    return all;
}

#define RECURRA_EACH(op)                                                                              \
    template <class T, int N>                                                                         \
    RECURRA_INLINE Several<T, N> operator op(const Several<T, N>& a, const Several<T, N>& b) {        \
        return of_each<T, N>([&](int i) { return a.at[i] op b.at[i]; });                              \
    }                                                                                                 \
    template <class T, int N>                                                                         \
    RECURRA_INLINE Several<T, N> operator op(const Several<T, N>& a, T b) {                           \
        return of_each<T, N>([&](int i) { return a.at[i] op b; });                                    \
    }                                                                                                 \
    template <class T, int N>                                                                         \
    RECURRA_INLINE Several<T, N> operator op(T a, const Several<T, N>& b) {                           \
        return of_each<T, N>([&](int i) { return a op b.at[i]; });                                    \
    }
template <class T, int N>
RECURRA_INLINE Several<T, N> operator*(Vector<T> a, const Several<T, N>& b) {
    return of_each<T, N>([&](int i) { return a * b.at[i]; });
}
RECURRA_EACH(+)
RECURRA_EACH(-)
RECURRA_EACH(*)
#undef RECURRA_EACH

// Rows become columns. Each turn swaps squares of `side` lanes between two rows.
template <class T, int side>
RECURRA_INLINE void swap_squares(Vector<T> (&rows)[lanes<T>]) {
    typedef typename Index<T>::type Lanes __attribute__((vector_size(RECURRA_VECTOR_BYTES)));
    Lanes upper = {}, lower = {};
    RECURRA_UNROLL
    for (int i = 0; i < lanes<T>; ++i) {
        upper[i] = i & side ? lanes<T> + i - side : i;
        lower[i] = i & side ? lanes<T> + i : i + side;
    }
    RECURRA_UNROLL
    for (int i = 0; i < lanes<T>; ++i) {
        if (i & side) continue;
        Vector<T> a = rows[i], b = rows[i + side];
        rows[i] = shuffle<T>(a, b, upper);
        rows[i + side] = shuffle<T>(a, b, lower);
    }
}

template <class T>
RECURRA_INLINE void transpose(Vector<T> (&rows)[lanes<T>]) {
    swap_squares<T, 1>(rows);
    if constexpr (lanes<T> > 2) swap_squares<T, 2>(rows);
    if constexpr (lanes<T> > 4) swap_squares<T, 4>(rows);
    if constexpr (lanes<T> > 8) swap_squares<T, 8>(rows);
}

// A NaN in x comes through; `low` and `high` are never NaN.
template <class T>
RECURRA_INLINE Vector<T> clamp(Vector<T> x, T low, T high) {
    Vector<T> l = low - Vector<T>{}, h = high - Vector<T>{};
#if defined(RECURRA_ISA_AVX512)
    if constexpr (sizeof(T) == 4) return (Vector<T>)_mm512_min_ps((__m512)h, _mm512_max_ps((__m512)l, (__m512)x));
    else return (Vector<T>)_mm512_min_pd((__m512d)h, _mm512_max_pd((__m512d)l, (__m512d)x));
#elif defined(RECURRA_ISA_AVX2)
    if constexpr (sizeof(T) == 4) return (Vector<T>)_mm256_min_ps((__m256)h, _mm256_max_ps((__m256)l, (__m256)x));
    else return (Vector<T>)_mm256_min_pd((__m256d)h, _mm256_max_pd((__m256d)l, (__m256d)x));
#else
    x = x < l ? l : x;
    return x > h ? h : x;
#endif
}

template <class T, int N>
RECURRA_INLINE Several<T, N> clamp(const Several<T, N>& x, T low, T high) {
    return of_each<T, N>([&](int i) { return clamp<T>(x.at[i], low, high); });
}

// 1 / x for x in [1, 2^127]: exact to about one unit in the last place.
template <class T>
RECURRA_INLINE Vector<T> reciprocal(Vector<T> x) {
#if defined(RECURRA_ISA_AVX512)
    if constexpr (sizeof(T) == 4) {
        Vector<T> q = (Vector<T>)_mm512_rcp14_ps((__m512)x);
        return q * (T(2) - x * q);
    }
#endif
    return T(1) / x;
}

template <int N>
RECURRA_INLINE Several<float, N> reciprocal(const Several<float, N>& x) {
    return of_each<float, N>([&](int i) { return reciprocal<float>(x.at[i]); });
}

// 2^x for x in [-126, 126], float: a polynomial on [-1/2, 1/2] times a power of two.
template <int N>
RECURRA_INLINE Several<float, N> power_of_two(const Several<float, N>& x) {
    const float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    Several<float, N> shifted = x + round;
    Several<float, N> r = x - (shifted - round);
    Several<float, N> p = r * 1.535336214e-4f + 1.339887504e-3f;
    p = p * r + 9.618437362e-3f;
    p = p * r + 5.550332470e-2f;
    p = p * r + 2.402264791e-1f;
    p = p * r + 6.931472029e-1f;
    p = p * r + 1.0f;
    typedef int32_t Int __attribute__((vector_size(RECURRA_VECTOR_BYTES)));
    return of_each<float, N>([&](int i) { return (Vector<float>)((Int)p.at[i] + ((Int)shifted.at[i] << 23)); });
}

// e^x for x in [-700, 700], double: the same with the series to the thirteenth power.
RECURRA_INLINE Vector<double> exponential(Vector<double> x) {
    const double round = 6755399441055744.0;  // 1.5 * 2^52
    Vector<double> shifted = x * 1.4426950408889634 + round;
    Vector<double> n = shifted - round;
    Vector<double> r = x - n * 0.693147180369123816490;  // ln 2 in two parts
    r = r - n * 1.90821492927058770002e-10;
    Vector<double> p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    typedef int64_t Int __attribute__((vector_size(RECURRA_VECTOR_BYTES)));
    return (Vector<double>)((Int)p + ((Int)shifted << 52));
}

template <int N>
RECURRA_INLINE Several<float, N> sigmoid(const Several<float, N>& x) {
    return reciprocal(1.0f + power_of_two(clamp(x * -1.44269504f, -126.0f, 126.0f)));
}

RECURRA_INLINE Vector<double> sigmoid(Vector<double> x) {
    return 1.0 / (1.0 + exponential(clamp<double>(-x, -700.0, 700.0)));
}

// A rational function of degree (9, 8), fitted for the least relative error on [-8.6, 8.6].
template <int N>
RECURRA_INLINE Several<float, N> hyperbolic_tangent(const Several<float, N>& wide) {
    Several<float, N> x = clamp(wide, -8.6f, 8.6f);
    Several<float, N> y = x * x;
    Several<float, N> p = y * 1.408243737e-8f + 2.112235335e-5f;
    p = p * y + 3.526399711e-3f;
    p = p * y + 1.340687368e-1f;
    p = p * y + 0.9999999867f;
    Several<float, N> q = y * 8.070621910e-7f + 3.336267303e-4f;
    q = q * y + 2.599389268e-2f;
    q = q * y + 4.674019522e-1f;
    q = q * y + 1.0f;
    // Rounding may pass 1, where 1 - t * t would change its sign.
    return clamp(x * p * reciprocal(q), -1.0f, 1.0f);
}

RECURRA_INLINE Vector<double> hyperbolic_tangent(Vector<double> x) {
    Vector<double> size = x < 0.0 ? -x : x;
    Vector<double> e = exponential(clamp<double>(-2.0 * size, -700.0, 0.0));
    Vector<double> t = (1.0 - e) / (1.0 + e);
    // Below 2^-7 the series: 1 - e would lose digits.
    Vector<double> y = x * x;
    Vector<double> s = y * (62.0 / 2835.0) - 17.0 / 315.0;
    s = s * y + 2.0 / 15.0;
    s = s * y - 1.0 / 3.0;
    s = x + x * y * s;
    t = x < 0.0 ? -t : t;
    return size < 0.0078125 ? s : t;
}

template <int N>
RECURRA_INLINE Several<double, N> sigmoid(const Several<double, N>& x) {
    return of_each<double, N>([&](int i) { return sigmoid(x.at[i]); });
}

template <int N>
RECURRA_INLINE Several<double, N> hyperbolic_tangent(const Several<double, N>& x) {
    return of_each<double, N>([&](int i) { return hyperbolic_tangent(x.at[i]); });
}

}  // namespace RECURRA_ISA

// What a step of training does besides the recurrence: a linear map and its loss, there and back, and
// the move of the weights.
#pragma once

#include "pass.hpp"
#include "tile.hpp"

namespace RECURRA_ISA {

RECURRA_INLINE Vector<float> exponential(Vector<float> x) { return power_of_two<1>({{x * 1.44269504f}}).at[0]; }

RECURRA_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
RECURRA_INLINE double square_root(double x) { return __builtin_sqrt(x); }

// Calls f(first number, how many are left) for each vector of n numbers.
template <class T, class F>
RECURRA_INLINE void over_vectors(int64_t n, F&& f) {
    for (int64_t i = 0; i < n; i += lanes<T>) f(i, n - i);
}

template <class T>
RECURRA_INLINE T sum_of(Vector<T> v) {
    T sum = 0;
    for (int i = 0; i < lanes<T>; ++i) sum += v[i];
    return sum;
}

// to[i] += by * from[i]
template <class T>
RECURRA_INLINE void add_times(T* to, T by, const T* from, int64_t n) {
    over_vectors<T>(n, [&](int64_t i, int64_t left) {
        store_first(to + i, load_first(to + i, left) + by * load_first(from + i, left), left);
    });
}

// raw becomes the gradient of a squared error by it; the error is returned.
template <class T>
double squared_error(T* raw, const T* target, T weight, int64_t outputs, int64_t* count) {
    double total = 0;
    for (int64_t k = 0; k < outputs; ++k) {
        const bool known = target[k] == target[k];
        const T apart = known ? raw[k] - target[k] : T(0);
        raw[k] = T(2) * weight * apart;
        total += double(weight) * apart * apart;
        *count += known;
    }
    return total;
}

// What is counted once a class was named that there is not.
constexpr int64_t beyond = INT64_MIN / 2;

// The same of the cross-entropy of one class among several, whose logits are raw.
template <class T>
double cross_entropy(T* raw, int64_t target, T weight, int64_t classes, int64_t* count) {
    if (target >= classes) *count = beyond;
    if (target < 0 || target >= classes) {
        for (int64_t k = 0; k < classes; ++k) raw[k] = 0;
        return 0;
    }
    const T chosen = raw[target];
    T highest = raw[0];
    for (int64_t k = 1; k < classes; ++k) highest = raw[k] > highest ? raw[k] : highest;
    T sum = 0;
    over_vectors<T>(classes, [&](int64_t i, int64_t left) {
        // a NaN comes through; -87 is where float ends
        Vector<T> e = exponential(clamp<T>(load_first(raw + i, left) - highest, T(-87), T(0)));
        store_first(raw + i, e, left);
        for (int64_t lane = 0; lane < smaller(left, lanes<T>); ++lane) sum += e[lane];
    });
    const T scale = weight / sum;
    for (int64_t k = 0; k < classes; ++k) raw[k] *= scale;
    raw[target] -= weight;
    *count += 1;
    return double(weight) * (double(highest) + __builtin_log(double(sum)) - double(chosen));
}

// Scratch: one row that is read, and one of what is said.
template <class T>
double answer(const recurra_head& head, void* scratch, int64_t* count) {
    const int64_t width = head.width, outputs = head.outputs;
    const T *w = static_cast<const T*>(head.w), *b = static_cast<const T*>(head.b);
    T *dw = static_cast<T*>(head.dw), *db = static_cast<T*>(head.db);
    T *masked = static_cast<T*>(scratch), *raw = masked + width;
    double total = 0;
    *count = 0;
    for (int64_t row = 0; row < head.rows; ++row) {
        const T* x = static_cast<const T*>(head.x) + row * head.x_row;
        const T* mask = head.mask ? static_cast<const T*>(head.mask) + row * width : nullptr;
        const T* seen = mask ? masked : x;
        if (mask) for (int64_t i = 0; i < width; ++i) masked[i] = x[i] * mask[i];
        for (int64_t k = 0; k < outputs; ++k) {
            Vector<T> sums = {};
            over_vectors<T>(width, [&](int64_t i, int64_t left) {
                sums += load_first(w + k * width + i, left) * load_first(seen + i, left);
            });
            raw[k] = sum_of<T>(sums) + (b ? b[k] : T(0));
        }
        const T weight = head.weights ? static_cast<const T*>(head.weights)[row] : T(1);
        if (head.classes)
            for (int64_t k = 0, of = outputs / head.classes; k < of; ++k)
                total += cross_entropy<T>(raw + k * head.classes,
                                          static_cast<const int64_t*>(head.target)[row * of + k], weight,
                                          head.classes, count);
        else
            total += squared_error<T>(raw, static_cast<const T*>(head.target) + row * outputs, weight, outputs, count);

        T* dx = static_cast<T*>(head.dx) + row * width;
        T* back = mask ? masked : dx;
        for (int64_t k = 0; k < outputs; ++k) {
            add_times(dw + k * width, raw[k], seen, width);
            if (db) db[k] += raw[k];
        }
        if (mask || !head.add_dx)
            for (int64_t i = 0; i < width; ++i) back[i] = 0;
        for (int64_t k = 0; k < outputs; ++k) add_times(back, raw[k], w + k * width, width);
        if (mask)
            for (int64_t i = 0; i < width; ++i) dx[i] = masked[i] * mask[i] + (head.add_dx ? dx[i] : T(0));
    }
    return total;
}

// Sixteen sums side by side, whatever the vector: the bits are the same everywhere.
template <class T>
double squares(const void* of, int64_t begin, int64_t end) {
    const T* numbers = static_cast<const T*>(of);
    double sums[16] = {}, total = 0;
    int64_t i = begin;
    for (; i + 16 <= end; i += 16)
        for (int k = 0; k < 16; ++k) sums[k] += double(numbers[i + k]) * double(numbers[i + k]);
    for (; i < end; ++i) sums[(i - begin) % 16] += double(numbers[i]) * double(numbers[i]);
    for (double each : sums) total += each;
    return total;
}

// A range of the weights, whose gradients are to be multiplied by `share`.
template <class T>
void move(const recurra_move& move, double shared, int64_t begin, int64_t end) {
    T* __restrict weights = static_cast<T*>(move.weights);
    T* __restrict gradients = static_cast<T*>(move.gradients);
    T* __restrict first = static_cast<T*>(move.first);
    T* __restrict second = static_cast<T*>(move.second);
    const T share = T(shared), rate = T(move.rate);
    const bool decoupled = move.kind == RECURRA_ADAMW;
    const T coupled = T(decoupled ? 0 : move.decay), keep = T(1 - (decoupled ? move.rate * move.decay : 0));
    auto arriving = [&](int64_t i) { return (gradients[i] *= share) + coupled * weights[i]; };
    if (move.kind == RECURRA_ADAM || decoupled) {
        const T size = T(move.rate / (1 - __builtin_pow(0.9, *move.step)));
        const T unbiased = T(1 / __builtin_sqrt(1 - __builtin_pow(0.999, *move.step)));
        for (int64_t i = begin; i < end; ++i) {
            const T g = arriving(i);
            first[i] += (g - first[i]) * T(1 - 0.9);
            second[i] = second[i] * T(0.999) + g * g * T(1 - 0.999);
            weights[i] = weights[i] * keep - size * first[i] / (square_root(second[i]) * unbiased + T(1e-8));
        }
    } else if (move.kind == RECURRA_RMSPROP) {
        for (int64_t i = begin; i < end; ++i) {
            const T g = arriving(i);
            first[i] = first[i] * T(0.99) + g * g * T(1 - 0.99);
            weights[i] -= rate * g / (square_root(first[i]) + T(1e-8));
        }
    } else {
        for (int64_t i = begin; i < end; ++i) {
            first[i] = first[i] * T(0.9) + arriving(i);
            weights[i] -= rate * first[i];
        }
    }
}

}  // namespace RECURRA_ISA

// Whether weights are still those that were packed.
#pragma once

#include <stddef.h>

#include "vector.hpp"

namespace RECURRA_ISA {

// A sum that feels each bit of the numbers, and its place.
inline uint64_t fingerprint(const void* data, size_t bytes) {
    typedef uint32_t Lanes __attribute__((vector_size(RECURRA_VECTOR_BYTES)));
    typedef uint32_t Loose __attribute__((vector_size(RECURRA_VECTOR_BYTES), aligned(4), may_alias));
    constexpr int sums = 8, each = RECURRA_VECTOR_BYTES;
    Lanes sum[sums] = {};
    const char* p = static_cast<const char*>(data);
    size_t at = 0;
    for (; at + sums * each <= bytes; at += sums * each) {
        RECURRA_UNROLL
        for (int i = 0; i < sums; ++i)
            sum[i] = ((sum[i] << 5) | (sum[i] >> 27)) + *reinterpret_cast<const Loose*>(p + at + i * each);
    }
    uint64_t all = bytes;
    for (; at + 4 <= bytes; at += 4) {
        uint32_t word;
        __builtin_memcpy(&word, p + at, 4);
        all = (all ^ word) * 0x9E3779B97F4A7C15u;
    }
    for (int i = 1; i < sums; ++i) sum[0] = (sum[0] ^ (sum[0] >> 15)) * 0x2C1B3C6Du + sum[i];
    for (int lane = 0; lane < each / 4; ++lane) all = ((all ^ sum[0][lane]) * 0x9E3779B97F4A7C15u) ^ (all >> 29);
    return all;
}

}  // namespace RECURRA_ISA

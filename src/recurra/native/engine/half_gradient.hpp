// The gradients of the weights with bfloat16 operands: a word holds two slots that follow each other.
#pragma once

#include "gradient.hpp"
#include "half_backward.hpp"

namespace RECURRA_ISA {
namespace half {

// As many bytes as float's chunk; even, so that the same slots share a word whoever asks.
constexpr int64_t chunk_slots = 2 * RECURRA_ISA::chunk_slots;

// One gate of a chunk as words, with room so that its rows do not fall on the same cache lines.
inline int64_t words_stride(const recurra_run& run) { return (padded<float>(run) / line | 1) * line; }

inline int64_t gradient_scratch(const recurra_run* run) {
    return chunk_slots / 2 * (Features<float>(*run).stride + words_stride(*run)) + padded<float>(*run);
}

RECURRA_INLINE void pair_rows(float* to, const float* a, const float* b, int64_t n) {
    for (int64_t i = 0; i < n; i += line)
        store(to + i, pairs(a ? load_first(a + i, n - i) : Floats{}, b ? load_first(b + i, n - i) : Floats{}));
}

inline void gather_features(const Pass& pass, const Features<float>& features, int64_t begin, int64_t end, float* to) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const float *x = static_cast<const float*>(run.x), *y = static_cast<const float*>(run.y);
    const float* h0 = static_cast<const float*>(run.h0);
    int64_t step = 0;
    for (int64_t low = 0, high = order.longest; low < high;) {  // the step that holds the first slot
        int64_t middle = (low + high) / 2;
        if (order.first_slot[middle + 1] <= begin) low = step = middle + 1;
        else high = middle;
    }
    for (int64_t slot = begin; slot < end; slot += 2, to += features.stride) {
        const float *inputs[2] = {}, *before[2] = {};
        for (int64_t i = 0; i < smaller(2, end - slot); ++i) {
            while (slot + i >= order.first_slot[step + 1]) ++step;
            int64_t rank = slot + i - order.first_slot[step], row = order.row[rank];
            inputs[i] = x + pass.time(rank, step) * run.x_step + row * run.x_row;
            before[i] = h0 ? h0 + row * run.h0_row : nullptr;
            if (step) before[i] = y + pass.time(rank, step - 1) * run.y_step + row * run.y_row;
        }
        pair_rows(to, inputs[0], inputs[1], run.inputs);
        pair_rows(to + features.x_vectors * line, before[0], before[1], run.hidden);
    }
}

// The gradients of one gate, units begin .. end, of `slots` slots, two to a word.
inline void gather_gradients(const float* gate, int64_t width, int64_t begin, int64_t end, int64_t slots,
                             float* words, int64_t stride) {
    for (int64_t slot = 0; slot < slots; slot += 2, words += stride) {
        const float *a = gate + slot * width, *b = slot + 1 < slots ? a + width : nullptr;
        for (int64_t unit = begin / line * line; unit < end; unit += line)
            store(words + unit, pairs_of(a + unit / 2, b ? b + unit / 2 : nullptr));
    }
}

inline void outer_product(const float* gradients, int64_t width, int64_t begin, int64_t end, const float* features,
                          int64_t stride, int64_t words, float* out, int64_t columns, bool add) {
    const Blocks blocks(divide_up(columns, line), tile_vectors);
    for (int64_t block = 0; block < blocks.count; ++block) {
        int64_t column = blocks.begin(block) * line;
        with_constant<tile_vectors>(blocks.width(block), [&](auto w) {
            over_tiles(begin, end, [&](int64_t unit, auto r) {
                constexpr int R = decltype(r)::value, W = decltype(w)::value;
                Tile<float, R, W> tile = {};
                multiply<R, W, W, W>(tile, [&](int i) { return gradients + unit + i; }, words, width,
                                     features + column, stride);
                for (int i = 0; i < R; ++i)
                    for (int v = 0; v < W; ++v) {
                        int64_t at = column + v * line;
                        float* to = out + (unit + i) * columns + at;
                        auto value = tile.at[i][v];
                        if (add) value += load_first(to, columns - at);
                        store_first(to, value, columns - at);
                    }
            });
        });
    }
}

inline void sum_words(const float* gradients, int64_t stride, int64_t begin, int64_t end, int64_t words, float* scratch,
                      float* out, bool add) {
    const Floats ones = pairs(Floats{} + 1.0f, Floats{} + 1.0f);
    const int64_t from = begin / line * line;
    for (int64_t unit = from; unit < end; unit += line) {
        Floats sum = {};
        for (int64_t k = 0; k < words; ++k) sum = dot(sum, load(gradients + k * stride + unit), ones);
        store(scratch + unit, sum);
    }
    for (int64_t unit = begin; unit < end; ++unit) out[unit] = scratch[unit] + (add ? out[unit] : 0.0f);
}

// As in gradient.hpp: how the work is shared changes no bit.
template <class Cell>
void weight_gradient(const Pass& pass, int64_t task, int64_t tasks, void* memory) {
    const recurra_run& run = *pass.run;
    const int64_t hidden = run.hidden, inputs = run.inputs, pad = padded<float>(run);
    const int64_t width = Cell::slot_parts * pad, total = pass.order.total, stride = words_stride(run);
    const Features<float> shape(run);
    float *features = static_cast<float*>(memory), *words = features + chunk_slots / 2 * shape.stride;
    float* scratch = words + chunk_slots / 2 * stride;
    const float* slots = static_cast<const float*>(pass.slots);
    float *dw_ih = static_cast<float*>(run.dw_ih), *dw_hh = static_cast<float*>(run.dw_hh);
    float *db_ih = static_cast<float*>(run.db_ih), *db_hh = static_cast<float*>(run.db_hh);

    const int64_t pieces = divide_up(hidden, tile_rows);  // of each gate
    const int64_t first = Cell::gates * pieces * task / tasks, last = Cell::gates * pieces * (task + 1) / tasks;
    int64_t done = 0;
    do {
        int64_t count = smaller(chunk_slots, total - done), pairs = divide_up(count, 2);
        gather_features(pass, shape, done, done + count, features);
        for (int part = 0; part < Cell::gates; ++part) {
            int64_t begin = smaller(larger(first - part * pieces, 0) * tile_rows, hidden);
            int64_t end = smaller(larger(smaller(last - part * pieces, pieces), 0) * tile_rows, hidden);
            if (begin >= end) continue;
            const float* chunk = slots + done * width;
            const int64_t x_gate = Cell::x_gate(part) * hidden, h_gate = Cell::h_gate(part) * hidden;
            const bool add = run.add_dw || done > 0;
            gather_gradients(chunk + (Cell::x_from + part) * pad, width, begin, end, count, words, stride);
            outer_product(words, stride, begin, end, features, shape.stride, pairs, dw_ih + x_gate * inputs, inputs,
                          add);
            if (db_ih) sum_words(words, stride, begin, end, pairs, scratch, db_ih + x_gate, add);
            if (Cell::h_from != Cell::x_from)
                gather_gradients(chunk + (Cell::h_from + part) * pad, width, begin, end, count, words, stride);
            outer_product(words, stride, begin, end, features + shape.x_vectors * line, shape.stride, pairs,
                          dw_hh + h_gate * hidden, hidden, add);
            if (db_ih) sum_words(words, stride, begin, end, pairs, scratch, db_hh + h_gate, add);
        }
        done += count;
    } while (done < total);
}

}  // namespace half
}  // namespace RECURRA_ISA

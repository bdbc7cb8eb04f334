// The gradients of the weights: one matrix product over all real steps, after the loop through time.
#pragma once

#include "forward.hpp"

namespace RECURRA_ISA {

// Slots that share the nearest cache: what a tile reads of so many stays there for the next tile.
constexpr int64_t chunk_slots = 96;

// What every gate reads of a slot, side by side: the input, then the state before.
template <class T>
struct Features {
    int64_t x_vectors, h_vectors, stride;

    explicit Features(const recurra_run& run)
        : x_vectors(divide_up(run.inputs, lanes<T>)), h_vectors(divide_up(run.hidden, lanes<T>)),
          // an odd number of vectors: rows a power of two apart would fall on the same cache lines
          stride(((x_vectors + h_vectors) | 1) * lanes<T>) {}
};

template <class T>
int64_t gradient_scratch(const recurra_run* run) {
    return chunk_slots * Features<T>(*run).stride + 2 * padded<T>(*run);
}

template <class T>
RECURRA_INLINE void copy_padded(T* to, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; i += lanes<T>) store(to + i, from ? load_first(from + i, n - i) : Vector<T>{});
}

template <class T>
void gather_features(const Pass& pass, const Features<T>& features, int64_t begin, int64_t end, T* to) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const T *x = static_cast<const T*>(run.x), *y = static_cast<const T*>(run.y);
    const T* h0 = static_cast<const T*>(run.h0);
    int64_t step = 0;
    for (int64_t low = 0, high = order.longest; low < high;) {  // the step that holds the first slot
        int64_t middle = (low + high) / 2;
        if (order.first_slot[middle + 1] <= begin) low = step = middle + 1;
        else high = middle;
    }
    for (int64_t slot = begin; slot < end; ++slot, to += features.stride) {
        while (slot >= order.first_slot[step + 1]) ++step;
        int64_t rank = slot - order.first_slot[step], row = order.row[rank];
        copy_padded(to, x + pass.time(rank, step) * run.x_step + row * run.x_row, run.inputs);
        const T* before = h0 ? h0 + row * run.h0_row : nullptr;
        if (step) before = y + pass.time(rank, step - 1) * run.y_step + row * run.y_row;
        copy_padded(to + features.x_vectors * lanes<T>, before, run.hidden);
    }
}

// out[unit][column] (+)= sum over slots of gradient[unit] * feature[column], for a range of units.
template <class T>
void outer_product(const T* gradients, int64_t width, int64_t begin, int64_t end, const T* features,
                   int64_t stride, int64_t slots, T* out, int64_t columns, bool add) {
    const Blocks blocks(divide_up(columns, lanes<T>), tile_vectors);
    for (int64_t block = 0; block < blocks.count; ++block) {
        int64_t column = blocks.begin(block) * lanes<T>;
        with_constant<tile_vectors>(blocks.width(block), [&](auto w) {
            over_tiles(begin, end, [&](int64_t unit, auto r) {
                constexpr int R = decltype(r)::value, W = decltype(w)::value;
                Tile<T, R, W> tile = {};
                multiply<T, R, W, W, W>(tile, [&](int i) { return gradients + unit + i; }, slots, width,
                                        features + column, stride);
                for (int i = 0; i < R; ++i)
                    for (int v = 0; v < W; ++v) {
                        int64_t at = column + v * lanes<T>;
                        T* to = out + (unit + i) * columns + at;
                        auto value = tile.at[i][v];
                        if (add) value += load_first(to, columns - at);
                        store_first(to, value, columns - at);
                    }
            });
        });
    }
}

template <class T>
void sum_rows(const T* gradients, int64_t width, int64_t begin, int64_t end, int64_t slots, T* scratch,
              T* out, bool add) {
    for (int64_t unit = begin; unit < end; ++unit) scratch[unit] = 0;
    for (int64_t k = 0; k < slots; ++k)
        for (int64_t unit = begin; unit < end; ++unit) scratch[unit] += gradients[k * width + unit];
    for (int64_t unit = begin; unit < end; ++unit) out[unit] = scratch[unit] + (add ? out[unit] : T(0));
}

// The share of one task out of `tasks`: a range of gates and units, over all slots. How the work is
// shared changes no bit: each number is summed by one task, in the order of the slots.
template <class T, class Cell>
void weight_gradient(const Pass& pass, int64_t task, int64_t tasks, void* memory) {
    const recurra_run& run = *pass.run;
    const int64_t hidden = run.hidden, inputs = run.inputs, pad = padded<T>(run);
    const int64_t width = Cell::slot_parts * pad, total = pass.order.total;
    const Features<T> shape(run);
    T *features = static_cast<T*>(memory), *scratch = features + chunk_slots * shape.stride;
    const T* slots = static_cast<const T*>(pass.slots);
    T *dw_ih = static_cast<T*>(run.dw_ih), *dw_hh = static_cast<T*>(run.dw_hh);
    T *db_ih = static_cast<T*>(run.db_ih), *db_hh = static_cast<T*>(run.db_hh);

    const int64_t pieces = divide_up(hidden, tile_rows);  // of each gate
    const int64_t first = Cell::gates * pieces * task / tasks, last = Cell::gates * pieces * (task + 1) / tasks;
    int64_t done = 0;
    do {
        int64_t count = smaller(chunk_slots, total - done);
        gather_features<T>(pass, shape, done, done + count, features);
        for (int part = 0; part < Cell::gates; ++part) {
            int64_t begin = smaller(larger(first - part * pieces, 0) * tile_rows, hidden);
            int64_t end = smaller(larger(smaller(last - part * pieces, pieces), 0) * tile_rows, hidden);
            if (begin >= end) continue;
            const T* chunk = slots + done * width;
            const T *of_x = chunk + (Cell::x_from + part) * pad, *of_h = chunk + (Cell::h_from + part) * pad;
            const int64_t x_gate = Cell::x_gate(part) * hidden, h_gate = Cell::h_gate(part) * hidden;
            bool add = done > 0;
            outer_product<T>(of_x, width, begin, end, features, shape.stride, count, dw_ih + x_gate * inputs,
                             inputs, add);
            outer_product<T>(of_h, width, begin, end, features + shape.x_vectors * lanes<T>, shape.stride,
                             count, dw_hh + h_gate * hidden, hidden, add);
            if (db_ih) {
                sum_rows<T>(of_x, width, begin, end, count, scratch, db_ih + x_gate, add);
                sum_rows<T>(of_h, width, begin, end, count, scratch, db_hh + h_gate, add);
            }
        }
        done += count;
    } while (done < total);
}

}  // namespace RECURRA_ISA

// The gradients of the weights: one matrix product over all real steps, after the loop through time.
#pragma once

#include "forward.hpp"

namespace RECURRA_ISA {

// Slots that share the nearest cache: what a tile reads of so many stays there for the next tile.
constexpr int64_t chunk_slots = 96;

// What every gate reads of a slot, side by side: the input, then what is fed back.
template <class T>
struct Features {
    int64_t x_vectors, h_vectors, stride;

    explicit Features(const recurra_run& run)
        : x_vectors(divide_up(run.inputs, lanes<T>)), h_vectors(divide_up(outputs_of(run), lanes<T>)),
          // an odd number of vectors: rows a power of two apart would fall on the same cache lines
          stride(((x_vectors + h_vectors) | 1) * lanes<T>) {}
};

template <class T>
int64_t gradient_scratch(const recurra_run* run) {
    // with room to read a vector too far, where heads are no whole vectors
    return chunk_slots * Features<T>(*run).stride + 2 * padded<T>(*run);
}

template <class T>
RECURRA_INLINE void copy_padded(T* to, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; i += lanes<T>) store(to + i, from ? load_first(from + i, n - i) : Vector<T>{});
}

// The step that holds a slot.
RECURRA_INLINE int64_t step_of(const Order& order, int64_t slot) {
    int64_t low = 0;
    for (int64_t high = order.longest; low < high;) {
        int64_t middle = (low + high) / 2;
        if (order.first_slot[middle + 1] <= slot) low = middle + 1;
        else high = middle;
    }
    return low;
}

template <class T>
void gather_features(const Pass& pass, const Features<T>& features, int64_t begin, int64_t end, T* to) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const T *x = static_cast<const T*>(run.x), *y = static_cast<const T*>(run.y);
    const T* h0 = static_cast<const T*>(run.h0);
    const int64_t outputs = outputs_of(run);
    int64_t step = step_of(order, begin);
    for (int64_t slot = begin; slot < end; ++slot, to += features.stride) {
        while (slot >= order.first_slot[step + 1]) ++step;
        int64_t rank = slot - order.first_slot[step], row = order.row[rank];
        copy_padded(to, x + pass.time(rank, step) * run.x_step + row * run.x_row, run.inputs);
        const T* before = h0 ? h0 + row * run.h0_row : nullptr;
        if (step) before = y + pass.time(rank, step - 1) * run.y_step + row * run.y_row;
        T* fed = to + features.x_vectors * lanes<T>;
        copy_padded(fed, before, outputs);
        if (const T* decay = decay_of<T>(run, pass.time(rank, step), row)) multiply_rows(fed, fed, decay, outputs);
        if (const T* mask = mask_of<T>(run, row))
            for (int64_t i = 0; i < outputs; ++i) fed[i] *= mask[i];
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

// out[unit * apart] (+)= sum over slots of gradient[unit] * by(slot), for a range of units: the bias, and
// the few columns of a narrow input, of which an outer product would fill but a part of a vector. It adds
// up as that does, to the same bits.
template <class T, class By>
void sum_rows(const T* gradients, int64_t width, int64_t begin, int64_t end, int64_t slots, By by, T* out,
              int64_t apart, bool add) {
    for (int64_t unit = begin; unit < end; unit += tile_vectors * lanes<T>) {
        const int64_t left = smaller(end - unit, tile_vectors * lanes<T>);
        with_constant<tile_vectors>(divide_up(left, lanes<T>), [&](auto w) {
            constexpr int W = decltype(w)::value;
            const int64_t rest = left - (W - 1) * lanes<T>;
            Vector<T> sums[W] = {};
            for (int64_t k = 0; k < slots; ++k) {
                const T* row = gradients + k * width + unit;
                const T times = by(k);
                RECURRA_UNROLL
                for (int v = 0; v + 1 < W; ++v) sums[v] += load(row + v * lanes<T>) * times;
                sums[W - 1] += load_first(row + (W - 1) * lanes<T>, rest) * times;
            }
            for (int64_t i = 0; i < left; ++i) {
                T& to = out[(unit + i) * apart];
                to = sums[i / lanes<T>][i % lanes<T>] + (add ? to : T(0));
            }
        });
    }
}

// Inputs at most that are a narrow input.
constexpr int64_t narrow = 4;

// dW_hh, for a range of units of one gate: only the block of each unit's own head.
template <class T>
void head_products(const recurra_run& run, const T* gradients, int64_t width, int64_t begin, int64_t end,
                   const T* features, int64_t stride, int64_t slots, T* out, bool add) {
    if (run.heads <= 1)
        return outer_product<T>(gradients, width, begin, end, features, stride, slots, out, outputs_of(run), add);
    const int64_t size = head_size(run);
    for (int64_t head = begin / size * size; head < end; head += size)
        outer_product<T>(gradients, width, larger(begin, head), smaller(end, head + size), features + head, stride,
                         slots, out, size, add);
}

// What the options of an LSTM add to one task: its share of dW_hr's rows and of dW_ch's columns.
template <class T, class Cell>
void optional_gradients(const Pass& pass, int64_t task, int64_t tasks) {
    const recurra_run& run = *pass.run;
    const Order& order = pass.order;
    const Layout<T, Cell> layout(run);
    const int64_t hidden = run.hidden, pad = padded<T>(run), width = layout.width, total = order.total;
    const T* slots = static_cast<const T*>(pass.slots);
    if (T* dw_hr = static_cast<T*>(run.dw_hr)) {
        const int64_t pieces = divide_up(run.outputs, tile_rows);
        const int64_t begin = pieces * task / tasks * tile_rows;
        const int64_t end = smaller(pieces * (task + 1) / tasks * tile_rows, run.outputs);
        int64_t done = 0;
        do {
            const T* chunk = slots + done * width;
            int64_t count = smaller(chunk_slots, total - done);
            outer_product<T>(chunk + layout.given, width, begin, end, chunk + layout.read, width, count, dw_hr, hidden,
                             run.add_dw || done > 0);
            done += count;
        } while (done < total);
    }
    if (T* dw_ch = static_cast<T*>(run.dw_ch)) {
        const int64_t begin = hidden * task / tasks, end = hidden * (task + 1) / tasks;
        const T* c0 = static_cast<const T*>(run.c0);
        for (int gate = 0; gate + 1 < Cell::gates && !run.add_dw; ++gate)
            for (int64_t unit = begin; unit < end; ++unit) dw_ch[gate * hidden + unit] = 0;
        for (int64_t slot = 0, step = 0; slot < total; ++slot) {
            while (slot >= order.first_slot[step + 1]) ++step;
            const int64_t rank = slot - order.first_slot[step];
            const T *at = slots + slot * width, *before = c0 ? c0 + order.row[rank] * run.c0_row : nullptr;
            if (step) before = slots + (order.first_slot[step - 1] + rank) * width + layout.c;
            const T* decay = decay_of<T>(run, pass.time(rank, step), order.row[rank]);
            for (int gate = 0; gate + 1 < Cell::gates; ++gate) {
                const bool last = gate + 2 == Cell::gates;  // the output gate sees the c it lets out
                const T *d = at + (gate + last) * pad, *c = last ? at + (Cell::slot_parts - 1) * pad : before;
                T* out = dw_ch + gate * hidden;
                if (!c) continue;
                for (int64_t unit = begin; unit < end; ++unit)
                    out[unit] += d[unit] * (decay && !last ? decay[unit] * c[unit] : c[unit]);
            }
        }
    }
}

// The share of one task out of `tasks`: a range of gates and units, over all slots. How the work is
// shared changes no bit: each number is summed by one task, in the order of the slots.
template <class T, class Cell>
void weight_gradient(const Pass& pass, int64_t task, int64_t tasks, void* memory) {
    const recurra_run& run = *pass.run;
    const int64_t hidden = run.hidden, inputs = run.inputs, pad = padded<T>(run);
    const int64_t width = slot_width<T, Cell>(&run), total = pass.order.total;
    const Features<T> shape(run);
    T* features = static_cast<T*>(memory);
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
            const bool add = run.add_dw || done > 0;
            if (inputs <= narrow)
                for (int64_t column = 0; column < inputs; ++column)
                    sum_rows<T>(of_x, width, begin, end, count,
                                [&](int64_t k) { return features[k * shape.stride + column]; },
                                dw_ih + x_gate * inputs + column, inputs, add);
            else
                outer_product<T>(of_x, width, begin, end, features, shape.stride, count, dw_ih + x_gate * inputs,
                                 inputs, add);
            head_products<T>(run, of_h, width, begin, end, features + shape.x_vectors * lanes<T>, shape.stride,
                             count, dw_hh + h_gate * head_size(run), add);
            if (db_ih) {
                auto once = [](int64_t) { return T(1); };
                sum_rows<T>(of_x, width, begin, end, count, once, db_ih + x_gate, 1, add);
                sum_rows<T>(of_h, width, begin, end, count, once, db_hh + h_gate, 1, add);
            }
        }
        done += count;
    } while (done < total);
    if constexpr (Cell::has_cell) optional_gradients<T, Cell>(pass, task, tasks);
}

}  // namespace RECURRA_ISA

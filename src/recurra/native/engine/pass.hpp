// What a call hands to the kernels: the rows in order of length, and where things lie.
#pragma once

#include "recurra.h"

// Never a function of its own: the linker would keep one copy, perhaps that of a newer processor.
#define RECURRA_SHARED inline __attribute__((always_inline))

namespace recurra {

// Rows sorted by length, longest first, as in a packed sequence: at step s the first `active(s)`
// ranks still run. A slot is one real step of one row; slots count up by step, then by rank.
struct Order {
    int64_t batch, longest, total;   // total: of all lengths
    const int64_t* row;              // of a rank
    const int64_t* length;           // of a rank
    const int64_t* first_slot;       // of a step, and `total` after the last

    RECURRA_SHARED int64_t active(int64_t step) const { return first_slot[step + 1] - first_slot[step]; }
};

// The ranks first, first + stride, ...: one task. Thus tasks are alike however lengths differ.
struct Group {
    int64_t first, stride, count;

    RECURRA_SHARED int64_t rank(int64_t i) const { return first + i * stride; }
    RECURRA_SHARED int64_t active(int64_t ranks) const {
        int64_t n = (ranks - first + stride - 1) / stride;
        return n < 0 ? 0 : n < count ? n : count;
    }
};

constexpr int64_t rows_per_group = 48;

struct Pass {
    const recurra_run* run;
    Order order;
    const void* packed;      // weights as the kernel reads them
    void* projected;         // forward: W_ih x + b for each slot, or null: done step by step
    void* slots;             // (total, slot width): saved gates, then their gradients
    void* side;              // (batch, side width): what a row needs besides, of one step only

    // Time axis of rank's step s.
    RECURRA_SHARED int64_t time(int64_t rank, int64_t s) const {
        return run->reverse ? order.length[rank] - 1 - s : s;
    }
};

// The functions of one cell, in one instruction set and one type of number. Sizes count numbers.
struct Kernels {
    int64_t (*slot_width)(const recurra_run*);
    int64_t (*side_width)(const recurra_run*, bool backward);
    int64_t (*packed_size)(const recurra_run*, bool backward);
    int64_t (*pack_tasks)(const recurra_run*, bool backward);
    void (*pack)(const recurra_run*, bool backward, void* packed, int64_t task);
    void (*project)(const Pass&, int64_t begin, int64_t end);  // a range of steps
    void (*forward)(const Pass&, Group);
    void (*backward)(const Pass&, Group);
    void (*input_gradient)(const Pass&, int64_t begin, int64_t end);  // a range of steps
    int64_t (*gradient_scratch)(const recurra_run*);
    void (*weight_gradient)(const Pass&, int64_t task, int64_t tasks, void* scratch);
    uint64_t (*fingerprint)(const void* data, size_t bytes);
    int64_t gates, projected_parts;
    int64_t lanes;
};

// What is done beside the recurrence, in one type of number.
struct Learning {
    double (*answer)(const recurra_head&, void* scratch, int64_t* count);
    double (*squares)(const void* numbers, int64_t begin, int64_t end);  // summed
    void (*move)(const recurra_move&, double share, int64_t begin, int64_t end);
};

// Bytes of a number.
RECURRA_SHARED size_t bytes(const recurra_run& run) { return size_t(run.element & 15); }

// Columns of W_hh, and how wide h is.
RECURRA_SHARED int64_t outputs_of(const recurra_run& run) { return run.w_hr ? run.outputs : run.hidden; }
RECURRA_SHARED int64_t head_size(const recurra_run& run) {
    return run.heads > 1 ? run.hidden / run.heads : outputs_of(run);
}

const Kernels& kernels_for(const recurra_run& run);  // of the instruction set in use

}  // namespace recurra

namespace baseline {
const recurra::Kernels* kernels(const recurra_run& run);
const recurra::Learning* learning(int64_t element);
}
namespace avx2 {
const recurra::Kernels* kernels(const recurra_run& run);
const recurra::Learning* learning(int64_t element);
}
namespace avx512 {
const recurra::Kernels* kernels(const recurra_run& run);
const recurra::Learning* learning(int64_t element);
}

// Of runs with bfloat16 operands:
namespace avx512_bf16 {
const recurra::Kernels* kernels(const recurra_run& run);
}
namespace amx {
const recurra::Kernels* kernels(const recurra_run& run);
}
namespace amx_emulated {
const recurra::Kernels* kernels(const recurra_run& run);
}

// One step at a time: what a call over whole records does anew each time is done here once.
#include <new>

#include "memory.hpp"
#include "pass.hpp"

using namespace recurra;

struct recurra_stepper {
    recurra_run run;
    const Kernels& kernels;
    Scratch packed, order;
    Pass pass;
    int64_t groups;
    uint64_t weights;  // their fingerprint

    explicit recurra_stepper(const recurra_run& asked)
        : run(asked),
          kernels(kernels_for(asked)),
          packed(size_t(kernels.packed_size(&asked, false)) * size_t(asked.element)),
          order(size_t(2 * asked.batch + 2) * sizeof(int64_t)),
          groups(asked.batch > rows_per_group ? (asked.batch + rows_per_group - 1) / rows_per_group : 1) {
        if (failed()) return;
        const int64_t batch = run.batch;
        for (int64_t task = 0; task < kernels.pack_tasks(&run, false); ++task)
            kernels.pack(&run, false, packed.as<void>(), task);
        int64_t *row = order.as<int64_t>(), *length = row + batch, *slot = length + batch;
        for (int64_t i = 0; i < batch; ++i) row[i] = i, length[i] = 1;
        slot[0] = 0, slot[1] = batch;
        run.steps = 1, run.reverse = 0, run.lengths = nullptr, run.saved = nullptr;
        run.x_step = run.y_step = 0, run.x_row = run.inputs, run.y_row = run.hidden;
        run.h0 = run.hn, run.c0 = run.cn, run.h0_row = run.c0_row = run.hidden;
        weights = fingerprint();
        pass = {&run, {batch, 1, batch, row, length, slot}, packed.as<void>(), nullptr, nullptr, nullptr};
    }
    // Of the weights as they are now: whoever owns them may have changed them in place.
    uint64_t fingerprint() const {
        const size_t rows = size_t(kernels.gates * run.hidden * run.element);
        uint64_t all = kernels.fingerprint(run.w_ih, rows * size_t(run.inputs));
        all = all * 31 + kernels.fingerprint(run.w_hh, rows * size_t(run.hidden));
        if (run.b_ih) all = all * 31 + kernels.fingerprint(run.b_ih, rows);
        if (run.b_hh) all = all * 31 + kernels.fingerprint(run.b_hh, rows);
        return all;
    }
    void step() {
        const int64_t batch = run.batch;
        for (int64_t i = 0; i < groups; ++i) kernels.forward(pass, {i, groups, (batch - i + groups - 1) / groups});
    }
    bool failed() const { return !packed.as<void>() || !order.as<void>(); }
};

extern "C" {

recurra_stepper* recurra_new_stepper(const recurra_run* run) {
    recurra_stepper* made = new (std::nothrow) recurra_stepper(*run);
    if (made && made->failed()) {
        delete made;
        made = nullptr;
    }
    return made;
}

void recurra_step(recurra_stepper* stepper, const void* x, void* y) {
    stepper->run.x = x;
    stepper->run.y = y;
    stepper->step();
}

int recurra_step_between(recurra_stepper* stepper, const recurra_run* now) {
    recurra_run& run = stepper->run;
    if (run.batch != now->batch || run.w_ih != now->w_ih || run.w_hh != now->w_hh || run.b_ih != now->b_ih ||
        run.b_hh != now->b_hh || stepper->fingerprint() != stepper->weights)
        return -1;
    run.x = now->x, run.h0 = now->h0, run.c0 = now->c0;
    run.y = now->y, run.hn = now->hn, run.cn = now->cn;
    stepper->step();
    return 0;
}

void recurra_end_stepper(recurra_stepper* stepper) { delete stepper; }
}

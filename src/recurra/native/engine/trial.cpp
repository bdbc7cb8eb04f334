#include "trial.hpp"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "memory.hpp"
#include "recurra.h"

namespace recurra {
namespace {

// One layer with odd sizes: several tiles high, rows and operands left over everywhere.
constexpr int64_t steps = 4, batch = 19, inputs = 37, hidden = 44, rows_at_most = 4 * hidden;

struct Layer {
    float x[steps * batch * inputs], w_ih[rows_at_most * inputs], w_hh[rows_at_most * hidden], bias[rows_at_most];
    float dy[steps * batch * hidden];
};

// What comes of it: all floats, compared as one array.
struct Found {
    float y[steps * batch * hidden], hn[batch * hidden], cn[batch * hidden];
    float dx[steps * batch * inputs], dh0[batch * hidden], dc0[batch * hidden];
    float dw_ih[rows_at_most * inputs], dw_hh[rows_at_most * hidden], db_ih[rows_at_most], db_hh[rows_at_most];
};

void fill(float* to, size_t bytes, uint32_t seed) {
    for (size_t i = 0; i < bytes / sizeof(float); ++i) {
        seed = seed * 1664525u + 1013904223u;
        to[i] = float(int32_t(seed)) / 8589934592.0f;  // -1/4 to 1/4
    }
}

bool compute(int isa, int cell, const Layer& layer, Found* found) {
    const int64_t lengths[batch] = {4, 4, 3, 4, 1, 4, 4, 0, 4, 2, 4, 4, 4, 4, 3, 4, 4, 4, 4};
    memset(found, 0, sizeof(Found));
    recurra_run run = {};
    run.cell = cell;
    run.element = 4 + RECURRA_BF16;
    run.steps = steps, run.batch = batch, run.inputs = inputs, run.hidden = hidden;
    run.lengths = lengths;
    run.x = layer.x, run.x_step = batch * inputs, run.x_row = inputs;
    run.w_ih = layer.w_ih, run.w_hh = layer.w_hh, run.b_ih = run.b_hh = layer.bias;
    run.y = found->y, run.y_step = batch * hidden, run.y_row = hidden;
    run.hn = found->hn, run.cn = found->cn;
    run.dy = layer.dy, run.dy_step = batch * hidden, run.dy_row = hidden;
    run.dx = found->dx, run.dx_step = batch * inputs, run.dx_row = inputs;
    run.dh0 = found->dh0, run.dc0 = cell == RECURRA_LSTM ? found->dc0 : nullptr;
    run.dw_ih = found->dw_ih, run.dw_hh = found->dw_hh, run.db_ih = found->db_ih, run.db_hh = found->db_hh;
    try_isa(isa);
    const Scratch saved(recurra_saved_size(&run));
    run.saved = saved.as<void>();
    bool done = run.saved && !recurra_forward(&run, 1, 1) && !recurra_backward(&run, 1, 1);
    try_isa(-1);
    return done;
}

#if defined(__x86_64__)
bool permitted() {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const unsigned tile = 1u << 24, bf16 = 1u << 22;
    if (!(d & tile) || !(d & bf16)) return false;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return false;  // xgetbv
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low >> 17 & 3) != 3) return false;  // the system keeps the tiles of a thread
#if defined(__linux__)
    const long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return !syscall(SYS_arch_prctl, request, tile_data);
#else
    return false;
#endif
}
#else
bool permitted() { return false; }
#endif

}  // namespace

bool agree(int one, int other) {
    const Scratch memory(sizeof(Layer) + 2 * sizeof(Found));
    Layer* layer = memory.as<Layer>();
    if (!layer) return false;
    Found* found = reinterpret_cast<Found*>(layer + 1);
    fill(reinterpret_cast<float*>(layer), sizeof(Layer), 1);
    for (int cell = RECURRA_ELMAN; cell <= RECURRA_GRU; ++cell) {
        if (!compute(one, cell, *layer, &found[0]) || !compute(other, cell, *layer, &found[1])) return false;
        const float *a = found[0].y, *b = found[1].y;
        for (size_t i = 0; i < sizeof(Found) / sizeof(float); ++i)
            // Sums in another order may round a state to the next bfloat16; a NaN agrees with nothing.
            if (!(fabsf(a[i] - b[i]) <= 0.01f * (1.0f + fabsf(a[i])))) return false;
    }
    return true;
}

int amx_standing() {
    static const int found = !permitted() ? 0 : agree(RECURRA_AVX512_BF16, RECURRA_AMX) ? 1 : -1;
    return found;
}

}  // namespace recurra

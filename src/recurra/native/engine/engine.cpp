// The C interface: orders the rows, packs the weights, gives tasks to the threads.
#include <math.h>
#include <string.h>

#include <atomic>

#include "memory.hpp"
#include "pass.hpp"
#include "pool.hpp"
#include "trial.hpp"

namespace recurra {
namespace {

using Table = const Kernels* (*)(const recurra_run&);

// With any other operands these processors run the kernels of AVX-512.
template <Table with_bf16, int64_t operands>
const Kernels* or_float(const recurra_run& run) {
    return run.element & operands ? with_bf16(run) : avx512::kernels(run);
}

constexpr Table tables[RECURRA_ISAS] = {
    baseline::kernels,
#ifdef RECURRA_HAS_AVX2
    avx2::kernels,
#else
    nullptr,
#endif
#ifdef RECURRA_HAS_AVX512
    avx512::kernels,
#else
    nullptr,
#endif
#ifdef RECURRA_HAS_AVX512_BF16
    or_float<avx512_bf16::kernels, RECURRA_BF16>,
#else
    nullptr,
#endif
#ifdef RECURRA_HAS_AMX
    or_float<amx::kernels, RECURRA_BF16 | RECURRA_BF16_TWICE>,
#else
    nullptr,
#endif
#ifdef RECURRA_HAS_AMX_EMULATED
    or_float<amx_emulated::kernels, RECURRA_BF16 | RECURRA_BF16_TWICE>,
#else
    nullptr,
#endif
};

// Numbers are float or double here: processors with bfloat16 take what AVX-512 has.
const Learning& learning_for(int isa, int64_t element) {
#ifdef RECURRA_HAS_AVX512
    if (isa >= RECURRA_AVX512) return *avx512::learning(element);
#endif
#ifdef RECURRA_HAS_AVX2
    if (isa >= RECURRA_AVX2) return *avx2::learning(element);
#endif
    (void)isa;
    return *baseline::learning(element);
}

int supported(int isa) {
#if defined(__x86_64__)
    if (isa == RECURRA_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == RECURRA_AMX) return supported(RECURRA_AVX512_BF16) && tables[isa] ? amx_standing() : 0;
    if (isa == RECURRA_AVX512_BF16 || isa == RECURRA_AMX_EMULATED)
        return supported(RECURRA_AVX512) && __builtin_cpu_supports("avx512bf16");
    if (isa == RECURRA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return isa == RECURRA_BASELINE;
}

int best() {
    int isa = RECURRA_AMX;
    while (!tables[isa] || supported(isa) != 1) --isa;
    return isa;
}

std::atomic<int> forced{-1};
thread_local int tried = -1;

int isa_in_use() {
    if (tried >= 0) return tried;
    static const int found = best();
    int wanted = forced.load(std::memory_order_relaxed);
    return wanted < 0 ? found : wanted;
}

// Ranks by falling length, equal lengths in the order of the rows: a counting sort.
class Sorted {
  public:
    explicit Sorted(const recurra_run& run)
        : memory_(size_t(2 * run.batch + 2 * run.steps + 3) * sizeof(int64_t)) {
        int64_t* row = memory_.as<int64_t>();
        if (!row) return;
        int64_t batch = run.batch, steps = run.steps;
        int64_t *length = row + batch, *slot = length + batch, *next = slot + steps + 1;
        memset(next, 0, size_t(steps + 2) * sizeof(int64_t));
        auto of = [&](int64_t i) { return run.lengths ? run.lengths[i] : steps; };
        for (int64_t i = 0; i < batch; ++i) ++next[of(i)];
        // next[n]: from how many records of length n to the rank of the first of them
        for (int64_t n = steps, ranks = 0; n >= 0; --n) {
            int64_t here = next[n];
            next[n] = ranks;
            ranks += here;
        }
        for (int64_t i = 0; i < batch; ++i) {
            int64_t rank = next[of(i)]++;
            row[rank] = i;
            length[rank] = of(i);
        }
        int64_t longest = batch ? length[0] : 0, active = batch;
        slot[0] = 0;
        for (int64_t s = 0; s < longest; ++s) {
            while (length[active - 1] <= s) --active;
            slot[s + 1] = slot[s] + active;
        }
        order_ = {batch, longest, slot[longest], row, length, slot};
    }
    bool failed() const { return !memory_.as<void>(); }
    const Order& order() const { return order_; }

  private:
    Scratch memory_;
    Order order_ = {};
};

// As many groups as threads, more where a group would be too large.
struct Groups {
    int64_t count, batch;

    Groups(int64_t batch, int threads) : batch(batch) {
        int64_t least = (batch + rows_per_group - 1) / rows_per_group;
        count = (least + threads - 1) / threads * threads;
        if (count > batch) count = batch;
        if (!count) count = 1;
    }
    Group at(int64_t i) const { return {i, count, (batch - i + count - 1) / count}; }
};

// Rows fill a tile badly below this many in a group; then the input is projected for all steps first.
constexpr int64_t rows_to_project = 3;

// Threads worth calling for so many multiply-adds: to call one costs about as much as half a million.
int worth(int threads, int64_t work) {
    int64_t most = 1 + work / 500000;
    return most < threads ? int(most) : threads;
}

int64_t weights_of_x(const Kernels& kernels, const recurra_run& run) {
    return kernels.projected_parts * run.hidden * run.inputs;
}

int64_t weights_of_h(const Kernels& kernels, const recurra_run& run) {
    return kernels.projected_parts * run.hidden * head_size(run) + (run.w_hr ? run.hidden * run.outputs : 0);
}

void pack_all(const Kernels& kernels, const recurra_run& run, bool backward, void* to, int threads) {
    int64_t tasks = kernels.pack_tasks(&run, backward);
    parallel(tasks, worth(threads, 16 * kernels.packed_size(&run, backward)),
             [&](int64_t task) { kernels.pack(&run, backward, to, task); });
}

// Weights moved by one task: fewer are done before another thread has begun.
constexpr int64_t numbers_moved = 65536;

// Ranges of steps for `tasks` shares of all slots.
int64_t step_of(const Order& order, int64_t share, int64_t shares) {
    int64_t slot = order.total * share / shares, step = 0;
    while (step < order.longest && order.first_slot[step] < slot) ++step;
    return share == shares ? order.longest : step;
}

template <class F>
void over_steps(const Order& order, int threads, F&& f) {
    int64_t shares = threads > 1 ? 2 * threads : 1;
    parallel(shares, threads, [&](int64_t i) {
        int64_t begin = step_of(order, i, shares), end = step_of(order, i + 1, shares);
        if (begin < end) f(begin, end);
    });
}

}  // namespace

void try_isa(int isa) { tried = isa; }

const Kernels& kernels_for(const recurra_run& run) { return *tables[isa_in_use()](run); }

}  // namespace recurra

using namespace recurra;

extern "C" {

int recurra_isa_built(int isa) { return isa >= 0 && isa < RECURRA_ISAS && tables[isa]; }
int recurra_isa_supported(int isa) { return supported(isa); }
int recurra_isa(void) { return isa_in_use(); }
int recurra_set_isa(int isa) {
    if (isa >= 0 && (!recurra_isa_built(isa) || supported(isa) != 1)) return -1;
    forced.store(isa < 0 ? -1 : isa);
    return 0;
}

int recurra_agree(int one, int other) { return agree(one, other); }

size_t recurra_saved_size(const recurra_run* run) {
    int64_t slots = 0;
    for (int64_t i = 0; i < run->batch; ++i) slots += run->lengths ? run->lengths[i] : run->steps;
    return size_t(slots) * size_t(kernels_for(*run).slot_width(run)) * bytes(*run);
}

size_t recurra_packed_size(const recurra_run* run) {
    return size_t(kernels_for(*run).packed_size(run, false)) * bytes(*run);
}

void recurra_pack(const recurra_run* run, void* packed) { pack_all(kernels_for(*run), *run, false, packed, 1); }

int recurra_forward(const recurra_run* runs, int count, int threads) {
    const recurra_run& first = runs[0];
    const Kernels& kernels = kernels_for(first);
    const Sorted sorted(first);
    if (sorted.failed()) return -1;
    const Order& order = sorted.order();
    const int64_t of_x = weights_of_x(kernels, first), of_h = weights_of_h(kernels, first);
    const int helpers = worth(threads, order.total * (of_x + of_h));
    const Groups groups(first.batch, helpers);

    size_t packed_size = recurra_packed_size(&first), projected_size = 0;
    if (groups.at(0).count < rows_to_project && order.total > 1) {
        int64_t pad = (first.hidden + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
        projected_size = size_t(order.total * kernels.projected_parts * pad) * bytes(first);
    }
    const size_t side_size = size_t(first.batch * kernels.side_width(&first, false)) * bytes(first);
    const Scratch memory(size_t(count) * (packed_size + projected_size + side_size));
    char* at = memory.as<char>();
    if (!at) return -1;

    Pass passes[2];
    for (int i = 0; i < count; ++i) {
        passes[i] = {&runs[i], order, runs[i].packed, nullptr, nullptr, nullptr};
        if (!runs[i].packed) {
            pack_all(kernels, runs[i], false, at, threads);
            passes[i].packed = at;
            at += packed_size;
        }
        if (side_size) {
            passes[i].side = at;
            at += side_size;
        }
        if (projected_size) {
            passes[i].projected = at;
            at += projected_size;
            over_steps(order, worth(threads, order.total * of_x),
                       [&](int64_t begin, int64_t end) { kernels.project(passes[i], begin, end); });
        }
    }
    parallel(count * groups.count, worth(threads, count * order.total * (of_x + of_h)),
             [&](int64_t i) { kernels.forward(passes[i / groups.count], groups.at(i % groups.count)); });
    return 0;
}

int recurra_backward(const recurra_run* runs, int count, int threads) {
    const recurra_run& first = runs[0];
    const Kernels& kernels = kernels_for(first);
    const Sorted sorted(first);
    if (sorted.failed()) return -1;
    const Order& order = sorted.order();
    const int64_t of_x = weights_of_x(kernels, first), of_h = weights_of_h(kernels, first);
    const Groups groups(first.batch, worth(threads, order.total * of_h));
    const size_t element = bytes(first);

    const size_t packed_size = size_t(kernels.packed_size(&first, true)) * element;
    const size_t side_size = size_t(first.batch * kernels.side_width(&first, true)) * element;
    const size_t gradient_size = size_t(kernels.gradient_scratch(&first)) * element;
    const int shares = first.dw_ih ? worth(threads, order.total * (of_x + of_h)) : 0;
    const Scratch memory(size_t(count) * (packed_size + side_size + size_t(shares) * gradient_size));
    char* at = memory.as<char>();
    if (!at) return -1;

    Pass passes[2];
    for (int i = 0; i < count; ++i) {
        pack_all(kernels, runs[i], true, at, threads);
        passes[i] = {&runs[i], order, at, nullptr, runs[i].saved, at + packed_size};
        at += packed_size + side_size;
    }
    // The loops through time, then the gradients of the weights, in one turn of the threads: tasks are
    // begun in their order, so whoever waits for a loop waits for a thread that is at work on it.
    const int64_t loops = count * groups.count;
    std::atomic<int64_t> open{loops};
    parallel(loops + count * shares, worth(threads, count * order.total * (of_x + of_h)), [&](int64_t i) {
        if (i < loops) {
            kernels.backward(passes[i / groups.count], groups.at(i % groups.count));
            open.fetch_sub(1);
            return;
        }
        await([&] { return open.load() == 0; });
        const int64_t share = i - loops;
        kernels.weight_gradient(passes[share / shares], share % shares, shares, at + size_t(share) * gradient_size);
    });
    for (int i = 0; i < count; ++i)
        if (runs[i].dx)
            over_steps(order, worth(threads, order.total * of_x),
                       [&](int64_t begin, int64_t end) { kernels.input_gradient(passes[i], begin, end); });
    return 0;
}

int recurra_answer(const recurra_head* head, double* total, int64_t* count) {
    const Scratch memory(size_t(head->width + head->outputs) * size_t(head->element));
    void* scratch = memory.as<void>();
    if (!scratch) return -1;
    *total = learning_for(isa_in_use(), head->element).answer(*head, scratch, count);
    return 0;
}

double recurra_move_weights(const recurra_move* move, int threads) {
    const Learning& learning = learning_for(isa_in_use(), move->element);
    const int64_t tasks = (move->count + numbers_moved - 1) / numbers_moved;
    auto over_parts = [&](auto f) {
        parallel(tasks, threads, [&](int64_t task) {
            int64_t begin = task * numbers_moved, end = begin + numbers_moved;
            f(task, begin, end < move->count ? end : move->count);
        });
    };
    const Scratch memory(size_t(tasks) * sizeof(double));
    double* sums = memory.as<double>();
    if (!sums) return -1;
    over_parts([&](int64_t task, int64_t begin, int64_t end) { sums[task] = learning.squares(move->gradients, begin, end); });
    double total = 0;  // in the order of the parts, however they were shared out
    for (int64_t task = 0; task < tasks; ++task) total += sums[task];
    const double length = sqrt(total) * move->share, shorter = move->longest / (length + 1e-6);
    if (!(length < INFINITY)) return length;
    ++*move->step;
    const double share = shorter < 1 ? move->share * shorter : move->share;
    over_parts([&](int64_t, int64_t begin, int64_t end) { learning.move(*move, share, begin, end); });
    return length;
}

void* recurra_take(size_t bytes) { return take(bytes); }
void recurra_give(void* block) { give(block); }
size_t recurra_kept(void) { return kept(); }
void recurra_release(void) { release(); }
}

#include "pool.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

namespace recurra {
namespace {

constexpr int workers_at_most = 255;
// How long a thread looks before it sleeps. Training calls of small networks follow each other within
// a tenth of a millisecond, and to be woken costs as much; a
// busy neighbour on the same core gets it back after it.
constexpr int64_t look_ns = 200000;

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// Looks for a while whether ready() has come true.
template <class F>
bool look(F&& ready) {
    auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(look_ns);
    do {
        for (int i = 0; i < 64; ++i) {
            if (ready()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

// A job has an even number; while the next one is prepared the number is odd. The number and the
// tickets handed out share a word, so that a worker who comes late gets no ticket of another job.
struct Pool {
    std::mutex calls;   // one call at a time
    std::mutex sleeping;
    std::condition_variable wake, done;
    std::atomic<uint64_t> job{0};       // number << 32 | tickets handed out
    std::atomic<int64_t> open{0};       // tasks not yet done
    std::atomic<int> sleepers{0};
    std::atomic<bool> caller_sleeps{false};
    int workers = 0;

    // Written while the number is odd.
    std::atomic<int64_t> count{0};
    std::atomic<int> seats{0};          // workers that may help
    std::atomic<void (*)(void*, int64_t)> task{nullptr};
    std::atomic<void*> context{nullptr};

    bool take(uint32_t number, int64_t* ticket) {
        uint64_t now = job.load();
        do {
            if (uint32_t(now >> 32) != number || int64_t(uint32_t(now)) >= count.load()) return false;
        } while (!job.compare_exchange_weak(now, now + 1));
        *ticket = int64_t(uint32_t(now));
        return true;
    }

    void help(uint32_t number) {
        int64_t ticket;
        while (take(number, &ticket)) {
            task.load()(context.load(), ticket);
            if (open.fetch_sub(1) == 1 && caller_sleeps.load()) {
                std::lock_guard<std::mutex> held(sleeping);
                done.notify_one();
            }
        }
    }

    void work(int seat) {
        uint32_t seen = 0;
        for (;;) {
            auto called = [&] {
                uint32_t number = uint32_t(job.load() >> 32);
                return number != seen && number % 2 == 0;
            };
            if (!look(called)) {
                std::unique_lock<std::mutex> held(sleeping);
                sleepers.fetch_add(1);
                wake.wait(held, called);
                sleepers.fetch_sub(1);
            }
            seen = uint32_t(job.load() >> 32) & ~1u;
            if (seat < seats.load()) help(seen);
        }
    }

    void hire(int wanted) {
        for (; workers < wanted && workers < workers_at_most; ++workers) {
            try {
                std::thread(&Pool::work, this, workers).detach();
            } catch (...) {
                return;  // the system gives no more threads: those there are do the work
            }
        }
    }

    void run(int64_t tasks, int threads, void (*f)(void*, int64_t), void* with) {
        hire(threads - 1);
        uint32_t number = uint32_t(job.load() >> 32) + 2;
        job.store(uint64_t(number - 1) << 32);
        seats.store(threads - 1);
        task.store(f);
        context.store(with);
        count.store(tasks);
        open.store(tasks);
        job.store(uint64_t(number) << 32);
        if (sleepers.load()) {
            std::lock_guard<std::mutex> held(sleeping);
            wake.notify_all();
        }
        help(number);
        auto over = [&] { return open.load() == 0; };
        if (look(over)) return;
        std::unique_lock<std::mutex> held(sleeping);
        caller_sleeps.store(true);
        done.wait(held, over);
        caller_sleeps.store(false);
    }
};

// Never destroyed: its threads outlive the end of the program. A forked child has none of them, so
// it begins with a new pool.
std::atomic<Pool*> pool{nullptr};

Pool* current() {
    Pool* found = pool.load();
    if (found) return found;
    static std::once_flag once;
    std::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); }); });
    Pool* made = new (std::nothrow) Pool;
    if (!pool.compare_exchange_strong(found, made)) {
        delete made;
        return found;
    }
    return made;
}

}  // namespace

void parallel(int64_t count, int threads, void (*task)(void*, int64_t), void* context) {
    if (threads > count) threads = int(count);
    if (threads > workers_at_most + 1) threads = workers_at_most + 1;
    Pool* mine = threads > 1 && count < (int64_t(1) << 31) ? current() : nullptr;
    if (mine) {
        std::unique_lock<std::mutex> held(mine->calls, std::try_to_lock);
        if (held.owns_lock()) return mine->run(count, threads, task, context);
    }
    for (int64_t i = 0; i < count; ++i) task(context, i);
}

void await(bool (*ready)(void*), void* context) {
    while (!look([&] { return ready(context); })) std::this_thread::yield();
}

}  // namespace recurra

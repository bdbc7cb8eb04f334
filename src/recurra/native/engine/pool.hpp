// The engine's own threads. One call is split into tasks; the caller works too.
#pragma once

#include <stdint.h>

namespace recurra {

// Runs task(context, i) for i in 0 .. count - 1 on at most `threads` threads and returns when all
// are done. Where the threads are busy with another call, or there are none, the caller does all.
void parallel(int64_t count, int threads, void (*task)(void* context, int64_t i), void* context);

template <class F>
void parallel(int64_t count, int threads, F&& f) {
    parallel(
        count, threads, [](void* context, int64_t i) { (*static_cast<F*>(context))(i); }, &f);
}

// Looks again and again, without sleeping, whether ready() has come true.
void await(bool (*ready)(void* context), void* context);

template <class F>
void await(F&& ready) {
    await([](void* context) -> bool { return (*static_cast<F*>(context))(); }, &ready);
}

}  // namespace recurra

#include "memory.hpp"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include <mutex>

namespace recurra {
namespace {

constexpr size_t alignment = 64;
constexpr size_t kept_at_most = size_t(512) << 20;
constexpr int blocks_at_most = 64;

// Stands before each block.
struct alignas(alignment) Header {
    size_t bytes;
    Header* next;
};

std::mutex lock;
Header* first = nullptr;  // kept blocks, the latest given back first
size_t kept_bytes = 0;
int kept_blocks = 0;

// A child forked while another thread holds the lock would wait for ever.
const int at_fork =
    pthread_atfork([] { lock.lock(); }, [] { lock.unlock(); }, [] { lock.unlock(); });

void drop_last() {
    Header** link = &first;
    while ((*link)->next) link = &(*link)->next;
    kept_bytes -= (*link)->bytes;
    --kept_blocks;
    free(*link);
    *link = nullptr;
}

}  // namespace

void* take(size_t bytes) {
    if (bytes > SIZE_MAX / 2) return nullptr;
    // Sizes in steps of an eighth, so that batches of nearly equal size find each other's blocks.
    size_t step = 4096;
    while (step * 16 <= bytes) step *= 2;
    bytes = (bytes + step - 1) / step * step + (bytes ? 0 : step);
    {
        std::lock_guard<std::mutex> held(lock);
        for (Header** link = &first; *link; link = &(*link)->next) {
            Header* found = *link;
            if (found->bytes < bytes || found->bytes > 2 * bytes) continue;
            *link = found->next;
            kept_bytes -= found->bytes;
            --kept_blocks;
            return found + 1;
        }
    }
    void* memory = nullptr;
    if (posix_memalign(&memory, alignment, sizeof(Header) + bytes)) return nullptr;
    Header* header = static_cast<Header*>(memory);
    *header = {bytes, nullptr};
    return header + 1;
}

void give(void* block) {
    if (!block) return;
    Header* header = static_cast<Header*>(block) - 1;
    std::lock_guard<std::mutex> held(lock);
    header->next = first;
    first = header;
    kept_bytes += header->bytes;
    ++kept_blocks;
    while (first && (kept_bytes > kept_at_most || kept_blocks > blocks_at_most)) drop_last();
}

size_t kept() {
    std::lock_guard<std::mutex> held(lock);
    return kept_bytes;
}

void release() {
    std::lock_guard<std::mutex> held(lock);
    while (first) drop_last();
}

}  // namespace recurra

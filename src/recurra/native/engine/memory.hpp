// Blocks of memory kept from call to call: fresh pages would cost more than the mathematics.
#pragma once

#include <stddef.h>

namespace recurra {

// Aligned to 64 bytes; null where memory ran out. Safe from every thread.
void* take(size_t bytes);
void give(void* block);
size_t kept();
void release();

// A block for the length of a scope.
class Scratch {
  public:
    explicit Scratch(size_t bytes) : block_(take(bytes)) {}
    ~Scratch() { give(block_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    template <class T>
    T* as() const {
        return static_cast<T*>(block_);
    }

  private:
    void* block_;
};

}  // namespace recurra

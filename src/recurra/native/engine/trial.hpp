// Whether AMX may be used on this machine.
#pragma once

namespace recurra {

// Of the calling thread's calls: the instruction set they take whatever is in use; -1 ends it.
void try_isa(int isa);

// 1 if the processor has AMX, the system lets this process use it, and what it computes is what
// AVX512_BF16 computes; 0 if it is not there; -1 if it computes something else.
int amx_standing();

// Do two instruction sets agree on a small layer, forward and backward?
bool agree(int one, int other);

}  // namespace recurra

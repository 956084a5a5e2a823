// SPDX-License-Identifier: MIT
// For every kernel file (.inl): the instruction set that it is compiled for, and hints for its loops.
#pragma once

#include "arith/portable.h"

// A source that compiles kernels (avx2.cpp) includes the lanes and names their set. A kernel file read alone, by an
// editor or a checker, is the baseline's.
#if !defined(IQA_INSTRUCTION_SET)
#include "cpu/isa/lanes_baseline.h"
#define IQA_INSTRUCTION_SET baseline
#endif

// For loops with large bodies. With sanitizers, clang keeps the variables of every unrolled copy in the frame.
#if defined(__clang__)
#define IQA_UNROLL_MUCH
#else
#define IQA_UNROLL_MUCH IQA_UNROLL
#endif
// For loops whose arrays do not overlap. clang finds out by itself, and rejects a hint that it cannot use.
#if defined(__clang__)
#define IQA_NO_OVERLAP
#else
#define IQA_NO_OVERLAP _Pragma("GCC ivdep")
#endif
// Forgets how a pointer was made. For the loads of an unrolled loop compilers would otherwise keep a pointer each, more
// than there are registers, and fetch it from memory every time.
#define IQA_FORGET(pointer) __asm__ volatile("" : "+r"(pointer))

namespace iqa::IQA_INSTRUCTION_SET {

// Where samples are fetched to, in the compilers' numbers. More lines can be on their way to the second cache at once.
enum : int { into_second_cache = 2, into_first_cache = 3 };

} // namespace iqa::IQA_INSTRUCTION_SET

// SPDX-License-Identifier: MIT
// What every kernel file (.inl) includes: the instruction set that it is compiled for, and hints for its loops.
#pragma once

// A source that compiles kernels (avx2.cpp) includes the lanes and names their set. Read alone, by an editor or a
// checker, kernels are the baseline's.
#if !defined(IQA_INSTRUCTION_SET)
#include "cpu/isa/lanes_baseline.h"
#define IQA_INSTRUCTION_SET baseline
#endif

#define IQA_UNROLL _Pragma("GCC unroll 16")
// For loops of much work. clang gives each copy variables of its own in the frame, where sanitizers keep them.
#if defined(__clang__)
#define IQA_UNROLL_MUCH
#else
#define IQA_UNROLL_MUCH IQA_UNROLL
#endif
// For loops whose arrays do not overlap. clang looks for itself, and takes a hint that it cannot use for an error.
#if defined(__clang__)
#define IQA_NO_OVERLAP
#else
#define IQA_NO_OVERLAP _Pragma("GCC ivdep")
#endif

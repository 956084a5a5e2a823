// SPDX-License-Identifier: MIT
// The kernels for AVX2 and FMA.
#include "cpu/isa/lanes_avx2.h"

#define IQA_INSTRUCTION_SET avx2
#include "cpu/isa/kernels.inl"

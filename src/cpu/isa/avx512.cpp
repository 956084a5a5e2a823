// SPDX-License-Identifier: MIT
// The kernels for AVX-512.
#include "cpu/isa/lanes_avx512.h"

#define IQA_INSTRUCTION_SET avx512
#include "cpu/isa/kernels.inl"

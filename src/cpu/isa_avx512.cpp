// SPDX-License-Identifier: MIT
#include "cpu/lanes_avx512.h"

#define IQA_INSTRUCTION_SET avx512
#include "cpu/kernels.inl"

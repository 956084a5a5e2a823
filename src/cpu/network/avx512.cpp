// SPDX-License-Identifier: MIT
#include "cpu/isa/lanes_avx512.h"

#define IQA_INSTRUCTION_SET avx512
#include "cpu/network/kernels.inl"

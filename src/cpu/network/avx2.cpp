// SPDX-License-Identifier: MIT
#include "cpu/isa/lanes_avx2.h"

#define IQA_INSTRUCTION_SET avx2
#include "cpu/network/kernels.inl"

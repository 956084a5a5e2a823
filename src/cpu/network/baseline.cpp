// SPDX-License-Identifier: MIT
#include "cpu/isa/lanes_baseline.h"

#define IQA_INSTRUCTION_SET baseline
#include "cpu/network/kernels.inl"

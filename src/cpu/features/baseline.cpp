// SPDX-License-Identifier: MIT
#include "cpu/features/digits_baseline.h"
#include "cpu/isa/lanes_baseline.h"

#define IQA_INSTRUCTION_SET baseline
#include "cpu/features/kernels.inl"

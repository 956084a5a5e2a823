// SPDX-License-Identifier: MIT
#include "cpu/lanes_baseline.h"

#define IQA_INSTRUCTION_SET baseline
#include "cpu/kernels.inl"

// SPDX-License-Identifier: MIT
// The kernels for any processor.
#include "cpu/isa/lanes_baseline.h"

#define IQA_INSTRUCTION_SET baseline
#include "cpu/isa/kernels.inl"

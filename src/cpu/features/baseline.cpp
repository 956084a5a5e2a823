// SPDX-License-Identifier: MIT
// The kernels of features for any processor.
#include "cpu/features/digits_baseline.h"
#include "cpu/isa/lanes_baseline.h"

#define IQA_INSTRUCTION_SET baseline
#include "cpu/features/kernels.inl"

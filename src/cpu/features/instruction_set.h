// SPDX-License-Identifier: MIT
// cpu/isa/instruction_set.h for the kernels of features, which need digit lanes too.
#pragma once

#if !defined(IQA_INSTRUCTION_SET)
#include "cpu/features/digits_baseline.h"
#endif
#include "cpu/isa/instruction_set.h"

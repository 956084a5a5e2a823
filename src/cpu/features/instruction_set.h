// SPDX-License-Identifier: MIT
// What cpu/isa/instruction_set.h is for other kernels, with the digits that a source gives beside lanes.
#pragma once

#if !defined(IQA_INSTRUCTION_SET)
#include "cpu/features/digits_baseline.h"
#endif
#include "cpu/isa/instruction_set.h"

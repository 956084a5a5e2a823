// SPDX-License-Identifier: MIT
// IQA_UNROLLED before a loop over constants: its arrays then stay in registers.
#pragma once

#if defined(__CUDACC__)
#define IQA_UNROLLED _Pragma("unroll")
#else
#define IQA_UNROLLED
#endif

// SPDX-License-Identifier: MIT
#include <immintrin.h>

#include "arith/bidiagonal.h"
#include "arith/half.h"
#include "arith/second_moment.h"
#include "cpu/fid_tables.hpp"

#define IQA_FID_NAME "avx512"
#define IQA_FID_VNNI 0

namespace iqa::cpu::avx512 {

#include "cpu/fid_avx512.inl"

#include "cpu/fid_integer.inl"
#include "cpu/fid_linear.inl"
#include "cpu/fid_table.inl"

} // namespace iqa::cpu::avx512

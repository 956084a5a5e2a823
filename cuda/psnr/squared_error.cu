// SPDX-License-Identifier: MIT
#include "cuda/machine/entry.h"
#include "cuda/psnr/gradient.h"
#include "cuda/psnr/squared_error_general.h"
#include "cuda/psnr/squared_error_plain.h"
#include "cuda/psnr/values.h"
#include "values/errors.h"
#include "values/psnr.h"

namespace iqa::cuda {

IQA_ENTRY(plain_errors<uint8_t>)
IQA_ENTRY(plain_errors<uint16_t>)
IQA_ENTRY(plain_errors<int16_t>)
IQA_ENTRY(plain_errors<float16>)
IQA_ENTRY(plain_errors<bfloat16>)
IQA_ENTRY(plain_errors<float>)
IQA_ENTRY(plain_errors<double>)

IQA_ENTRY(placed_errors<uint8_t>)
IQA_ENTRY(placed_errors<uint16_t>)
IQA_ENTRY(placed_errors<int16_t>)
IQA_ENTRY(placed_errors<float16>)
IQA_ENTRY(placed_errors<bfloat16>)
IQA_ENTRY(placed_errors<float>)
IQA_ENTRY(placed_errors<double>)

IQA_ENTRY(pair_values<psnr_values_request>)
IQA_ENTRY(pair_values<errors_values_request>)

IQA_ENTRY(error_gradients<uint8_t>)
IQA_ENTRY(error_gradients<uint16_t>)
IQA_ENTRY(error_gradients<int16_t>)
IQA_ENTRY(error_gradients<float16>)
IQA_ENTRY(error_gradients<bfloat16>)
IQA_ENTRY(error_gradients<float>)
IQA_ENTRY(error_gradients<double>)

} // namespace iqa::cuda

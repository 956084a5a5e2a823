// SPDX-License-Identifier: MIT
// The kernels of networks, compiled once for each instruction set: see cpu/isa/README.md.
#pragma once

#include "cpu/isa/instruction_set.h"
#include "cpu/network/convolution.inl"
#include "cpu/network/kernels.hpp"
#include "cpu/network/pooling.inl"

namespace iqa::IQA_INSTRUCTION_SET {

#define IQA_NAME_OF(set) #set
#define IQA_NAME(set) IQA_NAME_OF(set)

extern const network_kernels network;
const network_kernels network = {
    .name = IQA_NAME(IQA_INSTRUCTION_SET),
    .convolve = convolve,
    .pool_maximum = pool_maximum,
    .pool_average = pool_average,
    .resize_row = resize_row,
    .resize_columns = resize_columns,
};

} // namespace iqa::IQA_INSTRUCTION_SET

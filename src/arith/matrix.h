// SPDX-License-Identifier: MIT
// Matrices of float64 in memory, column-major.
#pragma once

#include "arith/portable.h"

namespace iqa {

struct matrix {
    double *data;
    int64_t stride;

    IQA_HD_MEMBER double *column(int64_t index) const { return data + index * stride; }
};

struct operand {
    const double *data;
    int64_t stride;
    bool transposed; // element (i, k) at data[i * stride + k] instead of data[k * stride + i]

    IQA_HD_MEMBER double at(int64_t i, int64_t k) const
    {
        return transposed ? data[i * stride + k] : data[k * stride + i];
    }
};

// C = A B^T or C = C - A B^T.
struct matrix_product {
    operand a; // rows x depth
    operand b; // columns x depth
    matrix c;
    int64_t rows, columns, depth;
    bool subtract;
    bool lower_only; // elements above the diagonal are unspecified
};

} // namespace iqa

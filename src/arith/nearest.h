// SPDX-License-Identifier: MIT
// The k smallest of many numbers, as a heap with the largest of them first.
#pragma once

#include "arith/portable.h"

namespace iqa {

// Puts a smaller number in the place of the largest. Numbers are `stride` apart, and number n is at least as large as
// numbers 2 n + 1 and 2 n + 2. heap[0] is then the largest that is left.
IQA_HD void replace_largest(double *heap, int64_t stride, int64_t count, double number)
{
    int64_t place = 0;
    for (int64_t child = 1; child < count; child = 2 * place + 1) {
        if (child + 1 < count && heap[(child + 1) * stride] > heap[child * stride])
            ++child;
        if (heap[child * stride] <= number)
            break;
        heap[place * stride] = heap[child * stride];
        place = child;
    }
    heap[place * stride] = number;
}

} // namespace iqa

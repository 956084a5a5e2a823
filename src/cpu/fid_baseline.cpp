// SPDX-License-Identifier: MIT
// The portable FID kernels. Where the compiler's target has no fused multiply-add, the C library's is called, which
// rounds alike.
#include "arith/bidiagonal.h"
#include "arith/half.h"
#include "arith/second_moment.h"
#include "cpu/fid_tables.hpp"

#define IQA_FID_NAME "baseline"

namespace iqa::cpu::baseline {

namespace {

// One lane each is enough: the compiler makes vectors of the loops around them where it can.
struct integer_lanes {
    static constexpr int count = 1;
    static constexpr int tile_rows = 4;
    static constexpr int tile_vectors = 2;
    int32_t first; // the sum, or the first digit of a pair
    int32_t second;

    static integer_lanes zero() { return {0, 0}; }
    static integer_lanes load(const int16_t *pair) { return {pair[0], pair[1]}; }
    static integer_lanes repeat_pair(const int16_t *pair) { return {pair[0], pair[1]}; }
    void store(int32_t *to) const { *to = first; }
};

inline integer_lanes add_products_of_pairs(integer_lanes sum, integer_lanes a, integer_lanes b)
{
    return {sum.first + a.first * b.first + a.second * b.second, 0};
}

struct double_lanes {
    static constexpr int count = 2;
    static constexpr int tile_columns = 4;
    double value[count];

    static double_lanes load(const double *from) { return {{from[0], from[1]}}; }
    static double_lanes repeat(double number) { return {{number, number}}; }

    void store(double *to) const
    {
        to[0] = value[0];
        to[1] = value[1];
    }
};

inline double_lanes operator+(double_lanes a, double_lanes b)
{
    return {{a.value[0] + b.value[0], a.value[1] + b.value[1]}};
}

inline double_lanes fused(double_lanes a, double_lanes b, double_lanes c)
{
    return {{fused_multiply_add(a.value[0], b.value[0], c.value[0]),
             fused_multiply_add(a.value[1], b.value[1], c.value[1])}};
}

} // namespace

#include "cpu/fid_integer.inl"
#include "cpu/fid_linear.inl"
#include "cpu/fid_table.inl"

} // namespace iqa::cpu::baseline

// SPDX-License-Identifier: MIT
// The float64 kernels of the trace term, of KID and of neighbours. Lanes are independent elements. The only reductions
// are the fixed tree over dot_lanes partial sums, and sums of integers.
#pragma once

#include "arith/bidiagonal.h"
#include "arith/neighbours.h"
#include "arith/polynomial_kernel.h"
#include "cpu/features/instruction_set.h"
#include "cpu/features/kernels.hpp"

namespace iqa::IQA_INSTRUCTION_SET {

namespace {

constexpr int vector = lanes_double::width;
constexpr int dot_vectors = dot_lanes / vector;

// The register tile of the matrix product: three vectors down, `product_columns` across.
constexpr int product_vectors = 3;
constexpr int product_rows = product_vectors * vector;

template <bool listed>
void multiply_steps(const double *a, const double *b, const int32_t *steps, int depth, double *c, int64_t c_stride,
                    bool add)
{
    lanes_double sums[product_columns][product_vectors];
    for (auto &column : sums)
        for (auto &sum : column)
            sum = lanes_double::broadcast(0.0);
    for (int k = 0; k < depth; ++k) {
        const int step = listed ? steps[k] : k;
        lanes_double left[product_vectors];
#pragma GCC unroll 4
        for (int v = 0; v < product_vectors; ++v)
            left[v] = lanes_double::load(a + step * product_rows + v * vector);
#pragma GCC unroll 8
        for (int j = 0; j < product_columns; ++j) {
            const lanes_double right = lanes_double::broadcast(b[step * product_columns + j]);
#pragma GCC unroll 4
            for (int v = 0; v < product_vectors; ++v)
                sums[j][v] = fused_multiply_add(left[v], right, sums[j][v]);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < product_columns; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < product_vectors; ++v) {
            double *target = c + j * c_stride + v * vector;
            (add ? lanes_double::load(target) + sums[j][v] : sums[j][v]).store(target);
        }
}

void multiply_tile(const double *a, const double *b, const int32_t *steps, int depth, double *c, int64_t c_stride,
                   bool add)
{
    if (steps != nullptr)
        multiply_steps<true>(a, b, steps, depth, c, c_stride, add);
    else
        multiply_steps<false>(a, b, nullptr, depth, c, c_stride, add);
}

void subtract_combination(double *x, const double *basis, int64_t stride, const double *coefficients, int count,
                          int64_t length)
{
    for (int64_t r = 0; r < length; r += dot_lanes) {
        lanes_double value[dot_vectors];
#pragma GCC unroll 8
        for (int v = 0; v < dot_vectors; ++v)
            value[v] = lanes_double::load(x + r + v * vector);
        for (int t = 0; t < count; ++t) {
            const lanes_double minus = lanes_double::broadcast(-coefficients[t]);
            const double *column = basis + t * stride + r;
#pragma GCC unroll 8
            for (int v = 0; v < dot_vectors; ++v)
                value[v] = fused_multiply_add(lanes_double::load(column + v * vector), minus, value[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < dot_vectors; ++v)
            value[v].store(x + r + v * vector);
    }
}

template <int Columns>
void dots(const double *a, int64_t stride, const double *b, int64_t length, double *out)
{
    lanes_double sums[Columns][dot_vectors];
    for (auto &column : sums)
        for (auto &sum : column)
            sum = lanes_double::broadcast(0.0);
    for (int64_t r = 0; r < length; r += dot_lanes) {
#pragma GCC unroll 8
        for (int v = 0; v < dot_vectors; ++v) {
            const lanes_double right = lanes_double::load(b + r + v * vector);
#pragma GCC unroll 2
            for (int column = 0; column < Columns; ++column)
                sums[column][v] = fused_multiply_add(lanes_double::load(a + column * stride + r + v * vector), right,
                                                     sums[column][v]);
        }
    }
    for (int column = 0; column < Columns; ++column) {
        alignas(64) double partial[dot_lanes];
        for (int v = 0; v < dot_vectors; ++v)
            sums[column][v].store(partial + v * vector);
        out[column] = sum_of_lanes(partial);
    }
}

double dot(const double *a, const double *b, int64_t length)
{
    double result;
    dots<1>(a, 0, b, length, &result);
    return result;
}

void dot_pair(const double *a, int64_t stride, const double *b, int64_t length, double *out)
{
    dots<2>(a, stride, b, length, out);
}

constexpr int64_t doubles_of_line = 8;

void add_pair(double *x, const double *a, int64_t stride, const double *coefficients, int64_t length, int64_t ahead)
{
    const lanes_double first = lanes_double::broadcast(coefficients[0]);
    const lanes_double second = lanes_double::broadcast(coefficients[1]);
    for (int64_t r = 0; r < length; r += vector) {
        const lanes_double sum = fused_multiply_add(lanes_double::load(a + r), first, lanes_double::load(x + r));
        fused_multiply_add(lanes_double::load(a + stride + r), second, sum).store(x + r);
        if (ahead != 0 && r % doubles_of_line == 0) {
            __builtin_prefetch(a + r + ahead, 0, into_second_cache);
            __builtin_prefetch(a + stride + r + ahead, 0, into_second_cache);
        }
    }
}

// Bisection for `bisection_width` neighbouring singular values at once: see arith/bidiagonal.h.
void bisect(const double *diagonal_squared, const double *off_squared, int64_t order, double upper, int64_t first,
            double *values)
{
    constexpr int width = bisection_width;
    double low[width];
    double high[width];
    for (int i = 0; i < width; ++i) {
        low[i] = 0.0;
        high[i] = upper;
    }
    for (int step = 0; step < bisection_steps; ++step) {
        double middle[width];
        double shift[width];
        double state[width];
        double below[width];
        for (int i = 0; i < width; ++i) {
            middle[i] = 0.5 * (low[i] + high[i]);
            shift[i] = middle[i] * middle[i];
            state[i] = -shift[i];
            below[i] = 0.0;
        }
        for (int64_t k = 0; k < order; ++k)
            for (int i = 0; i < width; ++i)
                sturm_step(diagonal_squared[k], off_squared[k], shift[i], &state[i], &below[i]);
        for (int i = 0; i < width; ++i) {
            const bool above = below[i] <= double(first + i);
            low[i] = above ? middle[i] : low[i];
            high[i] = above ? high[i] : middle[i];
        }
    }
    for (int i = 0; i < width; ++i)
        values[i] = 0.5 * (low[i] + high[i]);
}

// Without an early end, so that it is a loop over lanes.
bool any_within(const double *products, const double *squares, double square, const double *limits, int count)
{
    int64_t found = 0;
    for (int i = 0; i < count; ++i)
        found |= square_of_distance(squares[i], square, products[i]) <= limits[i] ? 1 : 0;
    return found != 0;
}

// Short runs, so that each step is a loop over lanes.
void add_kernel_values(const polynomial_kernel &kernel, const double *products, int64_t count, int64_t *sums)
{
    constexpr int most = 64;
    for (int64_t first = 0; first < count; first += most) {
        const int run = count - first < most ? int(count - first) : most;
        double base[most];
        double addend[most];
        double value[most];
        for (int i = 0; i < run; ++i) {
            base[i] = kernel_base(kernel, products[first + i]);
            addend[i] = kernel_addend(kernel, products[first + i]);
            value[i] = kernel.without_constant ? addend[i] : base[i];
        }
        double constant = 1.0;
        for (int power = 1; power < kernel.degree; ++power) {
            constant *= kernel.coef0;
            for (int i = 0; i < run; ++i)
                value[i] = next_kernel_power(value[i], base[i], addend[i], constant);
        }
        int64_t limbs[kernel_limbs] = {};
        for (int i = 0; i < run; ++i)
            add_to_limbs(value[i] * kernel.unit, limbs);
        for (int limb = 0; limb < kernel_limbs; ++limb)
            sums[limb] += limbs[limb];
    }
}

} // namespace

} // namespace iqa::IQA_INSTRUCTION_SET

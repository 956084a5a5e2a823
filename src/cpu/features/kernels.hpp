// SPDX-License-Identifier: MIT
// The inner loops of FID, KID, PRDC and the Inception Score, compiled for each instruction set. All versions give the
// same bits: integer kernels are exact, and in float64 kernels every element of an output is one fixed chain of fused
// multiply-adds. A float64 vector is padded with zeros to a multiple of dot_lanes and aligned to 64 bytes.
#pragma once

#include <stdint.h>

#include "arith/element_type.h"
#include "arith/trace_order.h"

struct iqa_context;

namespace iqa {

// Features go through the integer kernels in panels of this many columns.
constexpr int panel_width = 32;

struct polynomial_kernel;
constexpr int most_kernel_values = 4096; // of which sums of limbs stay below 2^63

// How a panel is packed.
struct panel_packing {
    int most_rows; // of a block, a multiple of row_step
    int row_step;  // rows are filled up with zeros to a multiple of it
    int bytes;     // of a feature
    int sums;      // tables of sums of products that two panels have, of panel_width rows and columns
};

// Rows of at most panel_width features. Strides in elements.
struct panel_request {
    element_type type;
    const void *data;
    int64_t row_stride, column_stride;
    int rows, columns;
    double gain; // 2^p
    bool wide;

    void *packed;       // aligned to 64 bytes
    int64_t *sums;      // [panel_width]: sum of q over the rows
    int64_t *rest_sums; // [panel_width], likewise: sums of the rests and of their squares, see arith/feature_grid.h
    int64_t *rest_squares;
};

// FID's moments: integers that are cut into digits (digits.inl) or slices (slices.inl).
struct moment_kernels {
    const char *name;
    panel_packing wide, narrow;

    // Rounds one panel of a block of rows to the grid, cuts it and packs it. False if a feature is outside the limit;
    // what is packed and the sums are then unspecified.
    bool (*pack_panel)(const panel_request &request);

    // The tables of sums of two panels. `rows` is a multiple of row_step.
    void (*multiply_panels)(const void *left, const void *right, int rows, bool wide, int32_t *products);

    // Adds row `row` of all tables to the words of the state, low and high of each of the first `count` columns;
    // subtracts it if `negative`.
    void (*add_products)(const int32_t *products, bool wide, bool negative, int row, int count, int64_t *words);
};

struct fid_kernels {
    // The register tile of the matrix product: tile_rows x tile_columns.
    int tile_rows;
    int tile_columns;

    // One tile of C (+)= A B over `depth` steps: a is [steps][tile_rows], b is [steps][tile_columns], c is
    // column-major. Each element is one chain from zero, added to (or put into) c at its end. `steps`: those to take,
    // ascending, or NULL for the first `depth`.
    void (*multiply_tile)(const double *a, const double *b, const int32_t *steps, int depth, double *c,
                          int64_t c_stride, bool add);

    // x[r] = x[r] - basis_0[r] c_0 - basis_1[r] c_1 ..., one fused chain. Column t of the basis is at basis + t *
    // stride.
    void (*subtract_combination)(double *x, const double *basis, int64_t stride, const double *coefficients, int count,
                                 int64_t length);

    // Dot product: element i belongs to partial sum i % dot_lanes; the partial sums are added in one fixed tree.
    double (*dot)(const double *a, const double *b, int64_t length);

    // out[i] = dot(a + i * stride, b), i = 0 and 1, in one pass over b.
    void (*dot_pair)(const double *a, int64_t stride, const double *b, int64_t length, double *out);

    // x[r] = x[r] + a_0[r] c_0 + a_1[r] c_1, one fused chain; a_1 is at a + stride. Fetches what lies `ahead` elements
    // after a_0 and a_1 into the second cache, unless it is 0.
    void (*add_pair)(double *x, const double *a, int64_t stride, const double *coefficients, int64_t length,
                     int64_t ahead);

    // Singular values of a bidiagonal matrix by bisection: see arith/bidiagonal.h.
    void (*bisect)(const double *diagonal_squared, const double *off_squared, int64_t order, double upper,
                   int64_t first, double *values);

    // Whether squares[i] + square - 2 products[i] <= limits[i] for any i. All are integers below 2^53.
    bool (*any_within)(const double *products, const double *squares, double square, const double *limits, int count);

    // Adds the kernel values of at most most_kernel_values dot products to sums of their limbs: see
    // arith/polynomial_kernel.h.
    void (*add_kernel_values)(const polynomial_kernel &kernel, const double *products, int64_t count, int64_t *sums);

    // Scores become exponents of the softmax, and weights their powers of e: see arith/class_scores.h. False if a score
    // is not finite; both are then unspecified.
    bool (*softmax_weights)(double *scores, int64_t count, double *weights);

    // Terms of the negative entropy of the probabilities weights[i] / sum.
    void (*entropy_terms)(const double *weights, double sum, int64_t count, double *terms);

    // Adds the parts of weights[i] / sum, a probability.
    void (*add_probabilities)(const double *weights, double sum, int64_t count, int64_t *high, int64_t *low);
};

// The kernels of the best instruction set of the processor that the context allows.
const fid_kernels &fid_kernels_for(const iqa_context &where) noexcept;

// Likewise. AVX-512 has three tables, by what multiplies: AMX, if the process gets it, VNNI or AVX-512 itself.
const moment_kernels &moment_kernels_for(const iqa_context &where) noexcept;

} // namespace iqa

// SPDX-License-Identifier: MIT
// The float64 kernels of the trace term. Included once per instruction set, inside its namespace, after its
// `double_lanes`. Lanes are independent elements; the only reduction is the fixed tree over dot_lanes partial sums.

namespace {

constexpr int lanes = double_lanes::count;
constexpr int dot_vectors = dot_lanes / lanes;

// multiply_tile: three vectors down, `tile_columns` across.
constexpr int tile_vectors = 3;
constexpr int tile_rows = tile_vectors * lanes;
constexpr int tile_columns = double_lanes::tile_columns;

void multiply_tile(const double *a, const double *b, int depth, double *c, int64_t c_stride, bool add)
{
    double_lanes sums[tile_columns][tile_vectors];
    for (auto &column : sums)
        for (auto &sum : column)
            sum = double_lanes::repeat(0.0);
    for (int k = 0; k < depth; ++k) {
        double_lanes left[tile_vectors];
#pragma GCC unroll 4
        for (int v = 0; v < tile_vectors; ++v)
            left[v] = double_lanes::load(a + k * tile_rows + v * lanes);
#pragma GCC unroll 8
        for (int j = 0; j < tile_columns; ++j) {
            const double_lanes right = double_lanes::repeat(b[k * tile_columns + j]);
#pragma GCC unroll 4
            for (int v = 0; v < tile_vectors; ++v)
                sums[j][v] = fused(left[v], right, sums[j][v]);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < tile_columns; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < tile_vectors; ++v) {
            double *target = c + j * c_stride + v * lanes;
            (add ? double_lanes::load(target) + sums[j][v] : sums[j][v]).store(target);
        }
}

void subtract_combination(double *x, const double *basis, int64_t stride, const double *coefficients, int count,
                          int64_t length)
{
    constexpr int vectors = dot_vectors;
    for (int64_t r = 0; r < length; r += dot_lanes) {
        double_lanes value[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            value[v] = double_lanes::load(x + r + v * lanes);
        for (int t = 0; t < count; ++t) {
            const double_lanes minus = double_lanes::repeat(-coefficients[t]);
            const double *column = basis + t * stride + r;
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                value[v] = fused(double_lanes::load(column + v * lanes), minus, value[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            value[v].store(x + r + v * lanes);
    }
}

// The tree that every instruction set adds the partial sums in: halves onto halves.
double sum_of_lanes(const double *partial)
{
    double sums[dot_lanes];
    for (int i = 0; i < dot_lanes; ++i)
        sums[i] = partial[i];
    for (int half = dot_lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i)
            sums[i] += sums[i + half];
    return sums[0];
}

template <int Columns>
void dots(const double *a, int64_t stride, const double *b, int64_t length, double *out)
{
    double_lanes sums[Columns][dot_vectors];
    for (auto &column : sums)
        for (auto &sum : column)
            sum = double_lanes::repeat(0.0);
    for (int64_t r = 0; r < length; r += dot_lanes) {
#pragma GCC unroll 8
        for (int v = 0; v < dot_vectors; ++v) {
            const double_lanes right = double_lanes::load(b + r + v * lanes);
#pragma GCC unroll 2
            for (int column = 0; column < Columns; ++column)
                sums[column][v] = fused(double_lanes::load(a + column * stride + r + v * lanes), right, sums[column][v]);
        }
    }
    for (int column = 0; column < Columns; ++column) {
        alignas(64) double partial[dot_lanes];
        for (int v = 0; v < dot_vectors; ++v)
            sums[column][v].store(partial + v * lanes);
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

void add_pair(double *x, const double *a, int64_t stride, const double *coefficients, int64_t length)
{
    const double_lanes first = double_lanes::repeat(coefficients[0]);
    const double_lanes second = double_lanes::repeat(coefficients[1]);
    for (int64_t r = 0; r < length; r += lanes) {
        const double_lanes sum = fused(double_lanes::load(a + r), first, double_lanes::load(x + r));
        fused(double_lanes::load(a + stride + r), second, sum).store(x + r);
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

} // namespace

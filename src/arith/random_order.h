// SPDX-License-Identifier: MIT
// Reproducible random choices. A row's key is a number of the SplitMix64 generator (G. L. Steele, D. Lea, C. H. Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014), which gives any number by its position. Rows sorted
// by key are a random permutation, the first m of them a random subset.
#pragma once

#include "arith/portable.h"

namespace iqa {

// Number `position` (from 0) of the generator that starts at `state`.
IQA_HD uint64_t split_mix(uint64_t state, uint64_t position)
{
    uint64_t z = state + (position + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// The key of a row in a draw, from its number: its index, or that of its content. Each draw has a generator that
// follows from the seed.
IQA_HD uint64_t row_key(uint64_t seed, uint64_t draw, uint64_t number)
{
    return split_mix(split_mix(seed, draw), number);
}

// The number of a row's content is the sum, modulo 2^64, of content_of_pair() over pairs of columns, an even one and
// the next, of which the last may be missing and is 0 then. Of rows that differ about one pair in 2^64 shares a number,
// and comes in the order of its indices.
IQA_HD uint64_t mask_of_column(int64_t column)
{
    return split_mix(0, uint64_t(column));
}

// Numbers count as doubles, whatever the type of the table, and both zeros as one.
IQA_HD double with_one_zero(double value)
{
    return value + 0.0;
}

IQA_HD uint64_t content_of_pair(double even, double odd, uint64_t even_mask, uint64_t odd_mask)
{
    const uint128 product = uint128(bits_of(even) ^ even_mask) * (bits_of(odd) ^ odd_mask);
    return uint64_t(product ^ product >> 64);
}

struct keyed_row {
    uint64_t key;
    int64_t row;
};

} // namespace iqa

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

// The key of a row in a draw. Each draw has a generator that follows from the seed.
IQA_HD uint64_t row_key(uint64_t seed, uint64_t draw, uint64_t row)
{
    return split_mix(split_mix(seed, draw), row);
}

struct keyed_row {
    uint64_t key;
    int64_t row;
};

} // namespace iqa

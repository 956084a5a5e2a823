// SPDX-License-Identifier: MIT
// What the threads of a warp do together: shuffles, votes, products of matrices.
#include "cuda/ptx/lanewise.hpp"

namespace test::ptx {

namespace {

// The threads that an instruction names must all be there: on a GPU it would wait for them.
void require_members(warp &own, const instruction &at, lane_mask mask, size_t operand)
{
    for (int lane = 0; lane < lanes; ++lane)
        if (mask >> lane & 1) {
            const lane_mask members = lane_value<uint32_t>::read(own.frame + at.at[operand], lane);
            if (members != mask)
                own.stop(at, "the threads here are not those that it names");
        }
}

enum class shuffle { butterfly, up, down, index };

// shfl.sync.MODE.b32 result|inside, value, distance, limits, members
template <shuffle Mode>
void exchange(warp &own, const instruction &at, lane_mask mask)
{
    require_members(own, at, mask, 5);
    uint32_t results[lanes];
    bool inside[lanes];
    for (int lane = 0; lane < lanes; ++lane) {
        const int by = int(lane_value<uint32_t>::read(own.frame + at.at[3], lane) & 31);
        const uint32_t limits = lane_value<uint32_t>::read(own.frame + at.at[4], lane);
        const int segment = int(limits >> 8 & 31);
        const int first = lane & segment;
        const int last = first | (int(limits & 31) & ~segment);
        int from = Mode == shuffle::butterfly ? lane ^ by
                   : Mode == shuffle::up      ? lane - by
                   : Mode == shuffle::down    ? lane + by
                                              : first | (by & ~segment);
        inside[lane] = Mode == shuffle::up ? from >= last : from <= last;
        from = inside[lane] ? from : lane;
        if ((mask >> lane & 1) && !(mask >> from & 1))
            own.stop(at, "a value of a thread that is not here");
        results[lane] = lane_value<uint32_t>::read(own.frame + at.at[2], from);
    }
    lane_value<uint32_t>::write(own.frame + at.at[0], results, mask);
    lane_value<truth>::write(own.frame + at.at[1], inside, mask);
}

// vote.sync.ballot.b32 result, predicate, members
void ballot(warp &own, const instruction &at, lane_mask mask)
{
    require_members(own, at, mask, 2);
    lane_mask votes;
    std::memcpy(&votes, own.frame + at.at[1], sizeof votes);
    uint32_t results[lanes];
    for (uint32_t &result : results)
        result = votes & mask;
    lane_value<uint32_t>::write(own.frame + at.at[0], results, mask);
}

// vote.sync.MODE.pred result, predicate, members
template <bool All>
void vote(warp &own, const instruction &at, lane_mask mask)
{
    require_members(own, at, mask, 2);
    lane_mask votes;
    std::memcpy(&votes, own.frame + at.at[1], sizeof votes);
    bool results[lanes];
    for (bool &result : results)
        result = All ? (votes & mask) == mask : (votes & mask) != 0;
    lane_value<truth>::write(own.frame + at.at[0], results, mask);
}

void meet(warp &own, const instruction &at, lane_mask mask)
{
    require_members(own, at, mask, 0);
}

int8_t byte_of(const warp &own, uint32_t place, int lane, int byte)
{
    return int8_t(own.frame[place + size_t(lane) * 4 + size_t(byte)]);
}

// D = A B + C of 8-bit integers: A of Rows x Depth, B of Depth x 8. A lane has parts of each, by the quarter of its
// number (a row of A, a column of B) and what is left of it (groups of four along the depth, pairs of columns of D).
template <int Rows, int Depth>
void multiply(warp &own, const instruction &at, lane_mask mask)
{
    constexpr int columns = 8;
    constexpr int words_of_a = Rows * Depth / lanes / 4;
    constexpr int words_of_b = Depth * columns / lanes / 4;
    constexpr int sums = Rows * columns / lanes;
    if (mask != all_lanes)
        own.stop(at, "not all threads of the warp are here");
    int8_t a[Rows][Depth];
    int8_t b[Depth][columns];
    for (int lane = 0; lane < lanes; ++lane) {
        const int quarter = lane / 4;
        const int rest = lane % 4;
        for (int i = 0; i < words_of_a * 4; ++i)
            a[quarter + i / 4 % 2 * 8][rest * 4 + i % 4 + i / 8 * 16] =
                byte_of(own, at.at[size_t(sums + i / 4)], lane, i % 4);
        for (int i = 0; i < words_of_b * 4; ++i)
            b[rest * 4 + i % 4 + i / 4 * 16][quarter] =
                byte_of(own, at.at[size_t(sums + words_of_a + i / 4)], lane, i % 4);
    }
    uint32_t results[sums][lanes];
    for (int lane = 0; lane < lanes; ++lane)
        for (int i = 0; i < sums; ++i) {
            const size_t operand = size_t(sums + words_of_a + words_of_b + i);
            int32_t sum = 0;
            for (int k = 0; k < Depth; ++k)
                sum += a[lane / 4 + i / 2 * 8][k] * b[k][lane % 4 * 2 + i % 2];
            results[i][lane] = lane_value<uint32_t>::read(own.frame + at.at[operand], lane) + uint32_t(sum);
        }
    for (int i = 0; i < sums; ++i)
        lane_value<uint32_t>::write(own.frame + at.at[size_t(i)], results[i], mask);
}

// Blocks see each other's writes in the order of the host's, which has no weaker one.
void fence(warp &, const instruction &, lane_mask)
{
}

} // namespace

void define_warp_operations(operation_table &table)
{
    const std::vector<uint8_t> of_shuffle = {4, 0, 4, 4, 4, 4};
    table["shfl.sync.bfly.b32"] = {&exchange<shuffle::butterfly>, of_shuffle};
    table["shfl.sync.up.b32"] = {&exchange<shuffle::up>, of_shuffle};
    table["shfl.sync.down.b32"] = {&exchange<shuffle::down>, of_shuffle};
    table["shfl.sync.idx.b32"] = {&exchange<shuffle::index>, of_shuffle};
    table["vote.sync.ballot.b32"] = {&ballot, {4, 0, 4}};
    table["vote.sync.all.pred"] = {&vote<true>, {0, 0, 4}};
    table["vote.sync.any.pred"] = {&vote<false>, {0, 0, 4}};
    table["bar.warp.sync"] = {&meet, {4}};
    table["membar.gl"] = {&fence, {}};
    table["mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32"] = {&multiply<16, 32>, std::vector<uint8_t>(14, 4)};
    table["mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32"] = {&multiply<8, 16>, std::vector<uint8_t>(6, 4)};
}

} // namespace test::ptx

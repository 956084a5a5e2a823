// SPDX-License-Identifier: MIT
// Instructions of a whole warp: shuffles, votes, products of matrices.
#include "cuda/ptx/lanewise.hpp"

namespace test::ptx {

namespace {

// All threads that an instruction names must take part: a GPU would wait for them.
void require_members(warp &self, const instruction &op, lane_mask mask, size_t operand)
{
    for (int lane = 0; lane < lanes; ++lane)
        if (mask >> lane & 1) {
            const lane_mask members = lane_value<uint32_t>::read(self.frame + op.offset[operand], lane);
            if (members != mask)
                self.stop(op, "the threads here are not those that it names");
        }
}

enum class shuffle { butterfly, up, down, index };

// shfl.sync.MODE.b32 result|inside, value, distance, limits, members
template <shuffle Mode>
void exchange(warp &self, const instruction &op, lane_mask mask)
{
    require_members(self, op, mask, 5);
    uint32_t results[lanes];
    bool inside[lanes];
    for (int lane = 0; lane < lanes; ++lane) {
        const int by = int(lane_value<uint32_t>::read(self.frame + op.offset[3], lane) & 31);
        const uint32_t limits = lane_value<uint32_t>::read(self.frame + op.offset[4], lane);
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
            self.stop(op, "a value of a thread that is not here");
        results[lane] = lane_value<uint32_t>::read(self.frame + op.offset[2], from);
    }
    lane_value<uint32_t>::write(self.frame + op.offset[0], results, mask);
    lane_value<truth>::write(self.frame + op.offset[1], inside, mask);
}

// vote.sync.ballot.b32 result, predicate, members
void ballot(warp &self, const instruction &op, lane_mask mask)
{
    require_members(self, op, mask, 2);
    lane_mask votes;
    std::memcpy(&votes, self.frame + op.offset[1], sizeof votes);
    uint32_t results[lanes];
    for (uint32_t &result : results)
        result = votes & mask;
    lane_value<uint32_t>::write(self.frame + op.offset[0], results, mask);
}

// vote.sync.MODE.pred result, predicate, members
template <bool All>
void vote(warp &self, const instruction &op, lane_mask mask)
{
    require_members(self, op, mask, 2);
    lane_mask votes;
    std::memcpy(&votes, self.frame + op.offset[1], sizeof votes);
    bool results[lanes];
    for (bool &result : results)
        result = All ? (votes & mask) == mask : (votes & mask) != 0;
    lane_value<truth>::write(self.frame + op.offset[0], results, mask);
}

void meet(warp &self, const instruction &op, lane_mask mask)
{
    require_members(self, op, mask, 0);
}

int8_t byte_of(const warp &self, uint32_t offset, int lane, int byte)
{
    return int8_t(self.frame[offset + size_t(lane) * 4 + size_t(byte)]);
}

// D = A B + C of 8-bit integers: A has Rows x Depth, B Depth x 8. In a lane's parts, lane / 4 is the row of A and the
// column of B, and lane % 4 is the group of four along the depth and the pair of columns of D.
template <int Rows, int Depth>
void multiply(warp &self, const instruction &op, lane_mask mask)
{
    constexpr int columns = 8;
    constexpr int words_of_a = Rows * Depth / lanes / 4;
    constexpr int words_of_b = Depth * columns / lanes / 4;
    constexpr int sums = Rows * columns / lanes;
    if (mask != all_lanes)
        self.stop(op, "not all threads of the warp are here");
    int8_t a[Rows][Depth];
    int8_t b[Depth][columns];
    for (int lane = 0; lane < lanes; ++lane) {
        const int quarter = lane / 4;
        const int rest = lane % 4;
        for (int i = 0; i < words_of_a * 4; ++i)
            a[quarter + i / 4 % 2 * 8][rest * 4 + i % 4 + i / 8 * 16] =
                byte_of(self, op.offset[size_t(sums + i / 4)], lane, i % 4);
        for (int i = 0; i < words_of_b * 4; ++i)
            b[rest * 4 + i % 4 + i / 4 * 16][quarter] =
                byte_of(self, op.offset[size_t(sums + words_of_a + i / 4)], lane, i % 4);
    }
    uint32_t results[sums][lanes];
    for (int lane = 0; lane < lanes; ++lane)
        for (int i = 0; i < sums; ++i) {
            const size_t operand = size_t(sums + words_of_a + words_of_b + i);
            int32_t sum = 0;
            for (int k = 0; k < Depth; ++k)
                sum += a[lane / 4 + i / 2 * 8][k] * b[k][lane % 4 * 2 + i % 2];
            results[i][lane] = lane_value<uint32_t>::read(self.frame + op.offset[operand], lane) + uint32_t(sum);
        }
    for (int i = 0; i < sums; ++i)
        lane_value<uint32_t>::write(self.frame + op.offset[size_t(i)], results[i], mask);
}

// Blocks see each other's writes in the order of the host, which is strong enough.
void fence(warp &, const instruction &, lane_mask)
{
}

} // namespace

void define_warp_operations(operation_table &table)
{
    const std::vector<uint8_t> shuffle_sizes = {4, 0, 4, 4, 4, 4};
    table["shfl.sync.bfly.b32"] = {&exchange<shuffle::butterfly>, shuffle_sizes};
    table["shfl.sync.up.b32"] = {&exchange<shuffle::up>, shuffle_sizes};
    table["shfl.sync.down.b32"] = {&exchange<shuffle::down>, shuffle_sizes};
    table["shfl.sync.idx.b32"] = {&exchange<shuffle::index>, shuffle_sizes};
    table["vote.sync.ballot.b32"] = {&ballot, {4, 0, 4}};
    table["vote.sync.all.pred"] = {&vote<true>, {0, 0, 4}};
    table["vote.sync.any.pred"] = {&vote<false>, {0, 0, 4}};
    table["bar.warp.sync"] = {&meet, {4}};
    table["membar.gl"] = {&fence, {}};
    table["mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32"] = {&multiply<16, 32>, std::vector<uint8_t>(14, 4)};
    table["mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32"] = {&multiply<8, 16>, std::vector<uint8_t>(6, 4)};
}

} // namespace test::ptx

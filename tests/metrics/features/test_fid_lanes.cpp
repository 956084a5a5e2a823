// SPDX-License-Identifier: MIT
// Lanes of FID that somebody made up: what no rows can have is refused, and whatever is not takes all the rows that the
// metric has room for.
#include "arith/second_moment.h"
#include "core/state.hpp"
#include "metrics/metrics.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

constexpr int64_t features = 2;
constexpr int64_t of_side = iqa::moment_lanes::count(features);
constexpr int64_t largest_rest = 1 << 23;

// A kind of words, with the grid on which 127 is the largest feature, and that as an integer.
struct words {
    int bits;
    int fraction_bits;
    int64_t limit;
};

constexpr words kinds_of_words[] = {{IQA_FID_WORD_32, 24, int64_t(127) << 24},
                                    {IQA_FID_WORD_24, 16, int64_t(127) << 16}};

// One sum of a set: where its lanes are, and what one row adds to it at least and at most.
struct sum {
    int64_t lane;
    bool in_two_lanes;
    iqa::int128 lowest, highest;
};

std::vector<sum> sums_of(const words &of)
{
    const iqa::int128 q = of.limit;
    const iqa::int128 r = largest_rest;
    return {{1, false, -q, q},   {2, false, -q, q},                             // of features
            {3, true, 0, q * q}, {5, true, -q * q, q * q}, {7, true, 0, q * q}, // of products 00, 10 and 11
            {9, true, -r, r},    {11, true, 0, r * r}, // of the rests of feature 0, and of their squares
            {13, true, -r, r},   {15, true, 0, r * r}};
}

void put(std::vector<int64_t> &lanes, int64_t first, const sum &where, iqa::int128 value)
{
    int64_t *const to = &lanes[size_t(first + where.lane)];
    to[0] = where.in_two_lanes ? int64_t(value & 0xffffffff) : int64_t(value);
    if (where.in_two_lanes)
        to[1] = int64_t(value >> 32);
}

// As a state file, with or without the rests of both sets.
std::vector<std::byte> state_of(const words &of, const std::vector<int64_t> &lanes, bool with_rests = true)
{
    std::vector<int64_t> kept;
    for (int64_t side = 0; side < 2; ++side) {
        const auto from = lanes.begin() + side * of_side;
        kept.insert(kept.end(), from, from + (with_rests ? of_side : iqa::moment_lanes::count_without_rests(features)));
    }
    const int32_t options[3] = {int32_t(features), of.fraction_bits, of.bits};
    std::vector<std::byte> bytes(iqa::state_size(sizeof options, kept.size()));
    iqa::write_state(bytes, uint16_t(iqa::metric_kind::fid), std::as_bytes(std::span(options)), kept);
    return bytes;
}

metric_pointer read_state(const context_pointer &context, std::span<const std::byte> bytes, iqa_status expected)
{
    iqa_metric *metric = nullptr;
    CHECK(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &metric) == expected);
    return metric_pointer(metric);
}

// Adds the lanes, and reads them as a state: both are right, or neither, with words that name the lane.
void check_lanes(const context_pointer &context, const words &of, const std::vector<int64_t> &lanes, int64_t refused)
{
    const auto metric = make_fid(context, fid_options(features, of.fraction_bits, of.bits));
    const std::string name = "lane " + std::to_string(refused) + " ";
    CHECK(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) ==
          (refused < 0 ? IQA_OK : IQA_ERROR_INCOMPATIBLE));
    if (refused >= 0) {
        CHECK(last_error(context).find(name) == 0);
        CHECK(lanes_of(metric) == std::vector<int64_t>(lanes.size()));
    }
    read_state(context, state_of(of, lanes), refused < 0 ? IQA_OK : IQA_ERROR_CORRUPT);
    if (refused >= 0)
        CHECK(last_error(context).find(name) == 0);
}

} // namespace

TEST_CASE("sums that rows cannot have are refused, the largest that they can have are not", "[fid]")
{
    const auto context = make_context();
    const int64_t rows = GENERATE(int64_t(0), int64_t(1), int64_t(1000), iqa::most_rows_of_a_state);
    for (const words &of : kinds_of_words)
        for (const int64_t first : {int64_t(0), of_side})
            for (const sum &where : sums_of(of))
                for (const bool high : {false, true}) {
                    std::vector<int64_t> lanes(2 * of_side);
                    lanes[size_t(first)] = rows;
                    const iqa::int128 most = rows * (high ? where.highest : where.lowest);
                    put(lanes, first, where, most);
                    check_lanes(context, of, lanes, -1);
                    put(lanes, first, where, most + (high ? 1 : -1));
                    check_lanes(context, of, lanes, first + where.lane);
                }
}

TEST_CASE("lanes that are not carried are judged by their sum", "[fid]")
{
    const auto context = make_context();
    const words &of = kinds_of_words[0];
    std::vector<int64_t> lanes(2 * of_side);
    lanes[0] = 1;
    lanes[3] = -(int64_t(1) << 40); // with the next lane 0
    lanes[4] = 1 << 8;
    check_lanes(context, of, lanes, -1);
    lanes[3] -= 1;
    check_lanes(context, of, lanes, 3);
}

TEST_CASE("states that are read take rows until there is no room for any, and can be read again", "[fid]")
{
    const auto context = make_context();
    const bool with_rests = GENERATE(true, false);
    constexpr int64_t room = 5;
    feature_set rows(room, features);
    for (const words &of : kinds_of_words)
        for (const bool high : {false, true}) {
            std::vector<int64_t> lanes(2 * of_side);
            for (const int64_t first : {int64_t(0), of_side}) {
                lanes[size_t(first)] = iqa::most_rows_of_a_state - room;
                for (const sum &where : sums_of(of))
                    put(lanes, first, where, lanes[size_t(first)] * (high ? where.highest : where.lowest));
            }
            const metric_pointer metric = read_state(context, state_of(of, lanes, with_rests), IQA_OK);
            REQUIRE(metric);
            for (int64_t i = 0; i < room; ++i) { // with the largest sums, product, and rest
                rows.at(i, 0) = high ? 127.0f : -127.0f;
                rows.at(i, 1) = i == 0 ? float(std::ldexp(high ? 0.5 : -0.5, -of.fraction_bits)) : 127.0f;
            }
            for (const int side : {IQA_FID_REFERENCE, IQA_FID_CANDIDATE}) {
                CHECK(add_rows(metric, side, rows) == IQA_OK);
                const std::vector<unsigned char> bytes = bytes_of(metric);
                const metric_pointer again = read_state(context, std::as_bytes(std::span(bytes)), IQA_OK);
                REQUIRE(again);
                CHECK(bytes_of(again) == bytes);
                CHECK(add_rows(metric, side, rows, 0, 1) == IQA_ERROR_NUMERIC);
                CHECK(bytes_of(metric) == bytes);
            }
            CHECK(iqa_metric_merge(metric.get(), metric.get()) == IQA_ERROR_INCOMPATIBLE);
        }
}

TEST_CASE("states from outside: too many rows, wrong sizes, lanes that no features have", "[fid]")
{
    const auto context = make_context();
    const auto metric = make_fid(context, fid_options(2));
    std::vector<int64_t> lanes(2 * of_side);
    lanes[0] = int64_t(1) << 31;
    CHECK(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) == IQA_OK);
    lanes[0] = 1;
    CHECK(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) == IQA_ERROR_INCOMPATIBLE);
    const feature_set row(1, 2);
    CHECK(add_rows(metric, IQA_FID_REFERENCE, row) == IQA_ERROR_NUMERIC);
    lanes[0] = -1;
    CHECK(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) == IQA_ERROR_INCOMPATIBLE);
    CHECK(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size() - 1) == IQA_ERROR_INCOMPATIBLE);

    // A negative variance.
    iqa_metric_reset(metric.get());
    lanes.assign(lanes.size(), 0);
    lanes[0] = lanes[of_side] = 10;
    lanes[1] = 100;
    REQUIRE(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) == IQA_OK);
    double value = 0;
    CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NUMERIC);

    // Options that ask for more lanes than the bytes have.
    std::vector<unsigned char> bytes = bytes_of(metric);
    const auto changed = make_fid(context, fid_options(3));
    const std::vector<unsigned char> other = bytes_of(changed);
    iqa_metric *loaded = nullptr;
    for (size_t cut = 0; cut < bytes.size(); cut += 5)
        CHECK(iqa_metric_deserialize(context.get(), bytes.data(), cut, &loaded) == IQA_ERROR_CORRUPT);
    bytes[16] = 0xff; // the low byte of `features`
    CHECK(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &loaded) == IQA_ERROR_CORRUPT);
    CHECK(iqa_metric_deserialize(context.get(), other.data(), other.size(), &loaded) == IQA_OK);
    iqa_metric_destroy(loaded);
}

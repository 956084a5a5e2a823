// SPDX-License-Identifier: MIT
// The same labels give the same bytes: whatever the threads, the instruction set, the split into updates, the order of
// shards, the element type, and the way they are counted.
#include <algorithm>
#include <map>
#include <numeric>

#include "catch.hpp"
#include "confusion.hpp"

using namespace test;

namespace {

constexpr int64_t samples = 6;
constexpr int64_t height = 150;
constexpr int64_t width = 201;

// Runs, noise, ignored and invalid labels.
struct label_maps {
    std::vector<int64_t> reference, candidate;
    std::vector<double> weights;

    explicit label_maps(int64_t classes)
    {
        random_numbers random(uint64_t(classes) + 7);
        for (int64_t i = 0; i < samples * height * width; ++i) {
            const int64_t region = i / 97 % classes;
            reference.push_back(random.below(50) == 0 ? -100 : random.below(9) == 0 ? random.below(classes) : region);
            candidate.push_back(random.below(40) == 0 ? random.below(classes) : region);
            weights.push_back(double(random.below(1000)) / 7);
        }
        reference[1000] = classes + 3;
        candidate[70000] = -1;
    }
};

iqa_confusion_options options_of(int64_t classes, bool weighted, const iqa_confusion_reading &how)
{
    return counting(int(classes), [&](auto &o) {
        o.batched = 1;
        o.keep_samples = 1;
        o.reading = &how;
        o.ignore = 1;
        o.ignore_label = -100;
        o.out_of_range = IQA_OUT_OF_RANGE_WRONG;
        o.weighted = weighted;
        o.counts = classes > 5000 ? IQA_COUNTS_PER_CLASS : IQA_COUNTS_MATRIX;
    });
}

template <class Label>
void add_samples(confusion &m, const label_maps &maps, int64_t first, int64_t count, bool weighted)
{
    const int64_t size = height * width;
    const std::vector<Label> x(maps.reference.begin() + first * size, maps.reference.begin() + (first + count) * size);
    const std::vector<Label> y(maps.candidate.begin() + first * size, maps.candidate.begin() + (first + count) * size);
    const tensor weights(maps.weights.data() + first * size, IQA_FLOAT64, {count, height, width});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    if (weighted)
        extras.weights = weights;
    m.add(x, y, {count, height, width}, {}, &extras);
    REQUIRE(m.text() == "");
}

} // namespace

TEST_CASE("threads, instruction sets, batches, shards and element types give the same bytes")
{
    const auto how = reading(IQA_AVERAGE_MACRO, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    for (const auto &[classes, weighted] : std::map<int64_t, bool>{
             {2, false}, {19, false}, {20, true}, {250, false}, {300, false}, {2200, false}, {30000, false}}) {
        CAPTURE(classes, weighted);
        const label_maps maps(classes);
        const auto options = options_of(classes, weighted, how);
        confusion all(options);
        add_samples<int64_t>(all, maps, 0, samples, weighted);
        const auto expected = bytes_of(all.metric());
        REQUIRE(expected.size() > 100);

        const bool on_cpu = IQA_TEST_DEVICE == IQA_CPU; // elsewhere there are no threads and sets to choose
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
            for (const int threads : {1, 2, 3, 8}) {
                if (!on_cpu)
                    continue;
                CAPTURE(isa, threads);
                confusion m(options, threads, isa);
                add_samples<int64_t>(m, maps, 0, samples, weighted);
                CHECK(bytes_of(m.metric()) == expected);
            }

        confusion narrow(options, 2);
        if (classes < 30000)
            add_samples<int16_t>(narrow, maps, 0, samples, weighted);
        else
            add_samples<int32_t>(narrow, maps, 0, samples, weighted);
        CHECK(bytes_of(narrow.metric()) == expected);

        // One shard for each sample, merged in any order, as lanes and as metrics.
        std::vector<int64_t> order(samples);
        std::iota(order.begin(), order.end(), 0);
        for (int round = 0; round < (on_cpu ? 3 : 1); ++round) {
            std::next_permutation(order.begin(), order.end());
            std::reverse(order.begin() + round, order.end());
            confusion merged(options);
            confusion streamed(options);
            for (const int64_t sample : order) {
                confusion shard(options);
                add_samples<int64_t>(shard, maps, sample, 1, weighted);
                REQUIRE(iqa_metric_merge(merged.metric().get(), shard.metric().get()) == IQA_OK);
                add_samples<int64_t>(streamed, maps, sample, 1, weighted);
            }
            CHECK(bytes_of(merged.metric()) == expected);
            CHECK(bytes_of(streamed.metric()) == expected);
        }

        // From bytes and back.
        iqa_metric *copy = nullptr;
        REQUIRE(iqa_metric_deserialize(all.context().get(), expected.data(), expected.size(), &copy) == IQA_OK);
        const metric_pointer restored(copy);
        CHECK(bytes_of(restored) == expected);
        auto altered = expected;
        altered[20] ^= 1;
        CHECK(iqa_metric_deserialize(all.context().get(), altered.data(), altered.size(), &copy) == IQA_ERROR_CORRUPT);
    }
}

TEST_CASE("few elements and many give the same counts")
{
    // 400 classes: small updates are added one by one, large ones through tables.
    const label_maps maps(400);
    const auto options = counting(400, [](auto &o) {
        o.ignore = 1;
        o.ignore_label = -100;
        o.out_of_range = IQA_OUT_OF_RANGE_DROP;
    });
    confusion whole(options);
    whole.add(maps.reference, maps.candidate);
    REQUIRE(whole.text() == "");
    confusion pieces(options);
    const auto end = int64_t(maps.reference.size());
    for (int64_t first = 0; first < end; first += 997) {
        const int64_t last = std::min(end, first + 997);
        pieces.add(std::vector<int64_t>(maps.reference.begin() + first, maps.reference.begin() + last),
                   std::vector<int64_t>(maps.candidate.begin() + first, maps.candidate.begin() + last));
    }
    CHECK(whole.matrix() == pieces.matrix());
    CHECK(whole.field(IQA_FIELD_CONFUSION_IGNORED) == pieces.field(IQA_FIELD_CONFUSION_IGNORED));
    CHECK(whole.field(IQA_FIELD_CONFUSION_INVALID) == pieces.field(IQA_FIELD_CONFUSION_INVALID));

    // And counted by hand.
    std::vector<double> expected(400 * 400);
    for (size_t i = 0; i < maps.reference.size(); ++i)
        if (maps.reference[i] >= 0 && maps.reference[i] < 400 && maps.candidate[i] >= 0)
            ++expected[size_t(maps.reference[i] * 400 + maps.candidate[i])];
    CHECK(whole.matrix() == expected);
}

TEST_CASE("a failed update leaves the bytes as they were, in every way of counting")
{
    for (const int classes : {3, 300, 40000}) {
        for (const int64_t count : {10, 300000}) {
            CAPTURE(classes, count);
            confusion m(counting(classes, [&](auto &o) { o.counts = classes > 5000 ? IQA_COUNTS_PER_CLASS : 0; }), 2);
            std::vector<int32_t> x(size_t(count), 1);
            m.add(x, x);
            const auto before = bytes_of(m.metric());
            const std::vector<int32_t> y = x;
            x[size_t(count) - 1] = -7;
            m.add(x, y);
            CHECK(m.status == IQA_ERROR_NUMERIC);
            CHECK(bytes_of(m.metric()) == before);
        }
    }
}

TEST_CASE("states of other options do not merge, and broken ones do not load")
{
    confusion a(counting(3));
    confusion b(counting(4));
    CHECK(iqa_metric_merge(a.metric().get(), b.metric().get()) == IQA_ERROR_INCOMPATIBLE);
    std::vector<int64_t> lanes(4 + 16);
    lanes[5] = -1;
    CHECK(iqa_metric_add_lanes(a.metric().get(), lanes.data(), lanes.size()) == IQA_ERROR_INCOMPATIBLE);
    CHECK(iqa_metric_add_lanes(a.metric().get(), lanes.data(), 3) == IQA_ERROR_INCOMPATIBLE);
}

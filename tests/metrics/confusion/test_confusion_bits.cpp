// SPDX-License-Identifier: MIT
// The same labels give the same bytes: whatever the threads, the instruction set, the split into updates, the order of
// shards, the element type, and the way they are counted.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "arith/portable.h"
#include "support/catch.hpp"
#include "support/confusion.hpp"

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
    // With 310 classes and weights the cells are so many that one worker adds to the state.
    for (const auto &[classes, weighted] : std::map<int64_t, bool>{{2, false},
                                                                   {19, false},
                                                                   {20, true},
                                                                   {100, true},
                                                                   {250, false},
                                                                   {300, false},
                                                                   {310, true},
                                                                   {2200, false},
                                                                   {30000, false}}) {
        CAPTURE(classes, weighted);
        const label_maps maps(classes);
        const auto options = options_of(classes, weighted, how);
        confusion all(options);
        add_samples<int64_t>(all, maps, 0, samples, weighted);
        const auto expected = bytes_of(all.metric());
        REQUIRE(expected.size() > 100);

        const bool on_cpu = device_of_tests == IQA_CPU; // elsewhere there are no threads and sets to choose
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

namespace {

// Stretches of labels whose runs are long, short or of one pair, so that kernels change their way within blocks and
// between them. Some references are ignored, and where asked for a label in 50 is outside the classes. Labels of up to
// 254 classes are bytes.
struct stretches {
    int64_t ignored;
    std::vector<int16_t> reference, candidate;

    stretches(int64_t classes, int64_t count, bool outside) : ignored(classes < 255 ? 255 : 5000)
    {
        random_numbers random(uint64_t(classes * 1000 + count));
        constexpr int64_t lengths[] = {1, 2, 3, 5, 9, 20, 100, 2000};
        int64_t longest = 1;
        for (int64_t left = 0; int64_t(reference.size()) < count; --left) {
            if (left <= 0) {
                left = 40 + random.below(40);
                longest = lengths[random.below(8)];
            }
            const int64_t run = std::min(count - int64_t(reference.size()), 1 + random.below(longest));
            const auto label = [&] {
                const bool invalid = outside && random.below(50) == 0;
                return int16_t(invalid ? classes + random.below(ignored - classes) : random.below(classes));
            };
            const int16_t row = random.below(20) == 0 ? int16_t(ignored) : label();
            reference.insert(reference.end(), size_t(run), row);
            candidate.insert(candidate.end(), size_t(run), random.below(3) == 0 ? row : label());
        }
    }

    // The lanes of a matrix, pair by pair.
    std::vector<int64_t> count(int64_t classes, bool wrong) const
    {
        const int64_t length = classes + 1;
        std::vector<int64_t> lanes(size_t(4 + length * length));
        int64_t *cells = lanes.data() + 4;
        lanes[0] = 1;
        lanes[1] = int64_t(reference.size());
        for (size_t i = 0; i < reference.size(); ++i) {
            if (reference[i] == ignored) {
                ++lanes[2];
                continue;
            }
            const int64_t row = std::min<int64_t>(reference[i], classes);
            const int64_t column = std::min<int64_t>(candidate[i], classes);
            const bool invalid = row == classes || column == classes;
            lanes[3] += invalid;
            if (!invalid || wrong)
                ++cells[row * length + column];
        }
        return lanes;
    }
};

template <class Label>
std::vector<int64_t> lanes_of(const iqa_confusion_options &options, const stretches &maps, int threads, int isa)
{
    confusion m(options, threads, isa);
    m.add(std::vector<Label>(maps.reference.begin(), maps.reference.end()),
          std::vector<Label>(maps.candidate.begin(), maps.candidate.end()));
    REQUIRE(m.text() == "");
    size_t count = 0;
    REQUIRE(iqa_metric_lanes(m.metric().get(), nullptr, 0, &count) == IQA_OK);
    std::vector<int64_t> lanes(count);
    REQUIRE(iqa_metric_lanes(m.metric().get(), lanes.data(), count, &count) == IQA_OK);
    return lanes;
}

// The lanes of counts of each class, from those of the matrix.
std::vector<int64_t> per_class(const std::vector<int64_t> &matrix, int64_t classes)
{
    constexpr int64_t header = 4;
    const int64_t length = classes + 1;
    std::vector<int64_t> lanes(size_t(header + 3 * classes + 1));
    std::copy_n(matrix.begin(), header, lanes.begin());
    for (int64_t row = 0; row < length; ++row)
        for (int64_t column = 0; column < length; ++column) {
            const int64_t count = matrix[size_t(header + row * length + column)];
            lanes.back() += count;
            if (row == column && row < classes) {
                lanes[size_t(header + 3 * row)] += count;
                continue;
            }
            if (column < classes)
                lanes[size_t(header + 3 * column + 1)] += count;
            if (row < classes)
                lanes[size_t(header + 3 * row + 2)] += count;
        }
    return lanes;
}

} // namespace

TEST_CASE("every set counts runs, noise and their borders as a loop over the pairs does")
{
    const bool on_cpu = device_of_tests == IQA_CPU;
    // Up to 4 classes are compared with; the lengths are around words, vectors, blocks and tiles.
    for (const int classes : {2, 3, 4, 5, 8, 19, 90, 250})
        for (const int64_t count : {1, 15, 16, 31, 33, 63, 64, 65, 255, 257, 1023, 1024, 1025, 2300, 65537, 140001})
            for (const bool outside : {false, true})
                for (const int policy : {IQA_OUT_OF_RANGE_DROP, IQA_OUT_OF_RANGE_WRONG}) {
                    CAPTURE(classes, count, outside, policy);
                    const stretches maps(classes, count, outside);
                    const auto expected = maps.count(classes, policy == IQA_OUT_OF_RANGE_WRONG);
                    const auto options = counting(classes, [&](auto &o) {
                        o.ignore = 1;
                        o.ignore_label = maps.ignored;
                        o.out_of_range = policy;
                    });
                    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
                        if (!on_cpu && isa != IQA_ISA_BASELINE)
                            continue;
                        CAPTURE(isa);
                        CHECK((lanes_of<uint8_t>(options, maps, 1, isa) == expected));
                        CHECK((lanes_of<int64_t>(options, maps, 3, isa) == expected));
                    }
                }
}

TEST_CASE("every set counts the runs of many classes as a loop over the pairs does")
{
    // Codes of 16 bits, of all classes and of the first 200 alone.
    for (const auto &[classes, used] : std::map<int64_t, int64_t>{{255, 255}, {300, 200}, {500, 500}})
        for (const int64_t count : {65537, 140001})
            for (const bool outside : {false, true})
                for (const int policy : {IQA_OUT_OF_RANGE_DROP, IQA_OUT_OF_RANGE_WRONG}) {
                    const stretches maps(used, count, outside);
                    const auto options = counting(int(classes), [&](auto &o) {
                        o.ignore = 1;
                        o.ignore_label = maps.ignored;
                        o.out_of_range = policy;
                    });
                    const auto expected = maps.count(classes, policy == IQA_OUT_OF_RANGE_WRONG);
                    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
                        for (const int threads : {1, 3}) {
                            CAPTURE(classes, count, outside, policy, isa, threads);
                            CHECK((lanes_of<int16_t>(options, maps, threads, isa) == expected));
                            CHECK((lanes_of<int32_t>(options, maps, threads, isa) == expected));
                            CHECK((lanes_of<uint64_t>(options, maps, threads, isa) == expected));
                        }
                }
}

TEST_CASE("16 bits of a count are carried")
{
    // 300 classes. Each pair is met around 65536 times, or several times that, alone or in turn with another one, so
    // that it is counted by runs, and pair by pair.
    constexpr int64_t classes = 300;
    const bool on_cpu = device_of_tests == IQA_CPU;
    for (const int64_t times : {65535, 65536, 65537, 131072, 200001})
        for (const int policy : {IQA_OUT_OF_RANGE_DROP, IQA_OUT_OF_RANGE_WRONG})
            for (const int counts : {IQA_COUNTS_MATRIX, IQA_COUNTS_PER_CLASS}) {
                stretches maps(classes, 0, false);
                const auto add = [&](int64_t row, int64_t column) {
                    maps.reference.push_back(int16_t(row));
                    maps.candidate.push_back(int16_t(column));
                };
                constexpr int64_t pairs[][2] = {{0, 0},    {299, 299}, {7, 8},  {5000, 5000},
                                                {5000, 3}, {301, 4},   {5, 302}};
                for (const auto &pair : pairs)
                    for (int64_t i = 0; i < times; ++i)
                        add(pair[0], pair[1]);
                for (int64_t i = 0; i < times; ++i) {
                    add(11, 11);
                    add(12, 13);
                }
                const auto options = counting(int(classes), [&](auto &o) {
                    o.ignore = 1;
                    o.ignore_label = maps.ignored;
                    o.out_of_range = policy;
                    o.counts = counts;
                });
                auto expected = maps.count(classes, policy == IQA_OUT_OF_RANGE_WRONG);
                if (counts == IQA_COUNTS_PER_CLASS)
                    expected = per_class(expected, classes);
                for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
                    for (const int threads : {1, 2}) {
                        if (!on_cpu && (isa != IQA_ISA_BASELINE || threads > 1))
                            continue;
                        CAPTURE(times, policy, counts, isa, threads);
                        CHECK((lanes_of<int16_t>(options, maps, threads, isa) == expected));
                    }
                // A single sample has the scores of all.
                auto kept = options;
                kept.batched = kept.keep_samples = 1;
                confusion m(kept);
                m.add(maps.reference, maps.candidate, {1, int64_t(maps.reference.size())});
                REQUIRE(m.text() == "");
                const auto over_samples = reading(IQA_AVERAGE_MACRO, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
                CHECK(m.score(IQA_SCORE_IOU, over_samples) == m.score(IQA_SCORE_IOU, IQA_AVERAGE_MACRO));
            }
}

TEST_CASE("more pairs than one table takes")
{
    if (device_of_tests != IQA_CPU)
        return; // a strided view of so many would be copied
    constexpr int64_t times = (int64_t(1) << 28) + 70000;
    confusion m(counting(300));
    const int16_t label = 200;
    const tensor one(&label, IQA_INT16, {times}, {0});
    m.add(one, one);
    REQUIRE(m.text() == "");
    CHECK(m.matrix()[200 * 300 + 200] == double(times));
    CHECK(m.score(IQA_SCORE_ACCURACY, IQA_AVERAGE_MICRO) == 1);
}

namespace {

// Every way of counting: tables, sums of each worker, and sums of the state.
struct way_of_counting {
    int classes;
    int64_t count;
    bool weighted, by_sample;

    iqa_confusion_options options() const
    {
        return counting(classes, [&](auto &o) {
            o.counts = classes > 5000 ? IQA_COUNTS_PER_CLASS : IQA_COUNTS_MATRIX;
            o.weighted = weighted;
            o.batched = o.keep_samples = by_sample;
        });
    }

    // One label and one weight may be replaced by one that is at fault.
    void add(confusion &m, int32_t last_label = 1, double last_weight = 0.375) const
    {
        std::vector<int32_t> x(size_t(count), 1);
        std::vector<double> weights(size_t(count), 1.0 / 3);
        const std::vector<int32_t> y = x;
        x.back() = last_label;
        weights.back() = last_weight;
        const std::vector<int64_t> shape = by_sample ? std::vector<int64_t>{2, count / 2} : std::vector<int64_t>{count};
        const tensor weight_of(weights.data(), IQA_FLOAT64, shape);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        if (weighted)
            extras.weights = weight_of;
        m.add(x, y, shape, {}, &extras);
    }
};

template <class Test>
void for_each_way(Test &&test)
{
    for (const int classes : {3, 300, 40000})
        for (const int64_t count : {10, 300000})
            for (const bool weighted : {false, true})
                for (const bool by_sample : {false, true}) {
                    CAPTURE(classes, count, weighted, by_sample);
                    test(way_of_counting{classes, count, weighted, by_sample});
                }
}

} // namespace

TEST_CASE("a failed update leaves the bytes as they were, in every way of counting")
{
    for_each_way([](const way_of_counting &way) {
        confusion m(way.options(), 2);
        way.add(m);
        REQUIRE(m.status == IQA_OK);
        const auto before = bytes_of(m.metric());
        way.add(m, -7);
        CHECK(m.status == IQA_ERROR_NUMERIC);
        CHECK_THAT(m.text(), Catch::Matchers::Contains("1 element has a label outside"));
        CHECK((bytes_of(m.metric()) == before));
        if (!way.weighted)
            return;
        way.add(m, -7, -1.0);
        CHECK(m.status == IQA_ERROR_NUMERIC);
        CHECK_THAT(m.text(), Catch::Matchers::Contains("is not one whose sums are exact"));
        CHECK((bytes_of(m.metric()) == before));
    });
}

TEST_CASE("an update can be cancelled at every call of progress, in every way of counting", "[host]")
{
    struct calls {
        int until, made;
    };
    for_each_way([](const way_of_counting &way) {
        for (const int threads : {1, 2}) {
            calls state{1 << 30, 0};
            iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
            options.threads = threads;
            options.progress_user = &state;
            options.progress = [](void *user, int64_t, int64_t) -> int32_t {
                auto &now = *static_cast<calls *>(user);
                return ++now.made > now.until;
            };
            iqa_context *context = nullptr;
            REQUIRE(iqa_context_create(&options, &context) == IQA_OK);
            confusion m(way.options(), context_pointer(context));
            way.add(m);
            REQUIRE(m.status == IQA_OK);
            REQUIRE(state.made > 0);
            if (threads == 1 && way.count > 10) // a call for each tile, of at most 2^16 elements
                CHECK(state.made > 300000 >> 16);
            const auto before = bytes_of(m.metric());
            const int most = threads == 1 ? std::min(state.made, 40) : 1; // of two threads one may do all before a call
            for (int until = 0; until < most; ++until) {
                state = {until, 0};
                way.add(m);
                CHECK(m.status == IQA_ERROR_CANCELLED);
                CHECK((bytes_of(m.metric()) == before));
            }
        }
    });
}

TEST_CASE("weights of many elements are summed as by hand")
{
    // Multiples of 1/64 and as large as 2^63: sums of doubles are exact in each cell.
    for (const int classes : {5, 400})
        for (const int threads : {1, 3}) {
            CAPTURE(classes, threads);
            random_numbers random(11);
            std::vector<uint32_t> x;
            std::vector<uint64_t> y;
            std::vector<double> weights;
            std::vector<double> expected(size_t(classes) * size_t(classes));
            for (int i = 0; i < 200000; ++i) {
                x.push_back(uint32_t(random.below(classes)));
                y.push_back(random.below(3) == 0 ? uint64_t(random.below(classes)) : x.back());
                const bool large = x.back() == 2 && y.back() == 2;
                weights.push_back(large ? 0x1p63 : double(random.below(100000)) / 64);
                expected[size_t(x.back()) * size_t(classes) + size_t(y.back())] += weights.back();
            }
            const tensor weight_of(weights.data(), IQA_FLOAT64, {200000});
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.weights = weight_of;
            confusion m(counting(classes, [](auto &o) { o.weighted = 1; }), threads);
            m.add(x, y, {}, {}, &extras);
            REQUIRE(m.text() == "");
            CHECK((m.matrix() == expected));
        }
}

TEST_CASE("weights of all bits are summed as by hand")
{
    // Multiples of 2^-76, so that sums are integers: stretches of weights that split into two integers, with the least
    // and the largest ones among them, and of weights that do not. They are more than a table holds.
    constexpr int64_t count = 600001;
    const auto test = [&]<class Weight>(Weight, int classes, int isa) {
        CAPTURE(classes, isa, sizeof(Weight));
        const stretches maps(classes, count, false);
        random_numbers random(uint64_t(classes) + 3);
        std::vector<Weight> weights;
        std::vector<iqa::int128> sums(size_t(classes) * size_t(classes));
        for (int64_t i = 0; i < count; ++i) {
            const double number = double(random.below(int64_t(1) << 53));
            switch (i / 1500 % 5) {
            case 0:
                weights.push_back(Weight(1 + number * 0x1p-53));
                break;
            case 1:
                weights.push_back(sizeof(Weight) == 4 ? Weight(number * 0x1p-105) + Weight(0x1p-53)
                                                      : Weight(number * 0x1p-53 + 0x1p-24));
                break;
            case 2:
                weights.push_back(std::nextafter(Weight(4096), Weight(0)));
                break;
            case 3:
                weights.push_back(Weight(random.below(2)));
                break;
            default:
                weights.push_back(i % 16 == 0 ? Weight(0x1p-76) : Weight(0.75));
            }
            const int16_t row = maps.reference[size_t(i)];
            if (row < classes)
                sums[size_t(row * classes + maps.candidate[size_t(i)])] += iqa::int128(double(weights.back()) * 0x1p76);
        }
        std::vector<double> expected;
        for (const iqa::int128 sum : sums)
            expected.push_back(double(sum) * 0x1p-76);
        const tensor weight_of(weights.data(), sizeof(Weight) == 4 ? IQA_FLOAT32 : IQA_FLOAT64, {count});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.weights = weight_of;
        confusion m(counting(classes,
                             [&](auto &o) {
                                 o.weighted = 1;
                                 o.ignore = 1;
                                 o.ignore_label = maps.ignored;
                             }),
                    1, isa);
        m.add(maps.reference, maps.candidate, {}, {}, &extras);
        REQUIRE(m.text() == "");
        CHECK((m.matrix() == expected));
    };
    for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
        for (const int classes : {2, 20, 254}) {
            test(float(), classes, isa);
            test(double(), classes, isa);
        }
}

TEST_CASE("as many weights as no table holds are summed as by hand")
{
    constexpr int64_t count = (int64_t(1) << 21) + 77;
    const std::vector<uint8_t> labels(size_t(count), 1);
    const double largest = std::nextafter(4096.0, 0.0);
    const std::vector<double> weights(size_t(count), largest);
    const tensor weight_of(weights.data(), IQA_FLOAT64, {count});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = weight_of;
    confusion m(counting(2, [](auto &o) { o.weighted = 1; }));
    m.add(labels, labels, {}, {}, &extras);
    REQUIRE(m.text() == "");
    CHECK(m.matrix()[3] == double(iqa::int128(largest * 0x1p76) * count) * 0x1p-76);
}

TEST_CASE("weights of 1 count as no weights do, and weights of 0 not at all")
{
    // Ignored and invalid labels among them; weights are doubles, or every other float.
    for (const int classes : {2, 19, 300})
        for (const int64_t count : {5, 1024, 70001})
            for (const int policy : {IQA_OUT_OF_RANGE_DROP, IQA_OUT_OF_RANGE_WRONG})
                for (const int counts : {IQA_COUNTS_MATRIX, IQA_COUNTS_PER_CLASS}) {
                    CAPTURE(classes, count, policy, counts);
                    const stretches maps(classes, count, true);
                    auto options = counting(classes, [&](auto &o) {
                        o.ignore = 1;
                        o.ignore_label = maps.ignored;
                        o.out_of_range = policy;
                        o.counts = counts;
                    });
                    confusion plain(options);
                    plain.add(maps.reference, maps.candidate);
                    options.weighted = 1;
                    confusion weighted(options, 2);
                    const std::vector<double> ones(size_t(count), 1.0);
                    std::vector<float> alternating(size_t(2 * count), float(no_number));
                    for (size_t i = 0; i < size_t(count); ++i)
                        alternating[2 * i] = i % 2 == 0 ? 0.0F : -0.0F;
                    const tensor wide(ones.data(), IQA_FLOAT64, {count});
                    const tensor narrow(alternating.data(), IQA_FLOAT32, {count}, {2});
                    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
                    extras.weights = wide;
                    weighted.add(maps.reference, maps.candidate, {}, {}, &extras);
                    REQUIRE(weighted.text() == "");
                    CHECK(weighted.field(IQA_FIELD_CONFUSION_IGNORED) == plain.field(IQA_FIELD_CONFUSION_IGNORED));
                    CHECK(weighted.field(IQA_FIELD_CONFUSION_INVALID) == plain.field(IQA_FIELD_CONFUSION_INVALID));
                    const auto each = reading(IQA_AVERAGE_NONE, [](auto &r) { r.empty = IQA_EMPTY_AS_RATIO; });
                    CHECK(weighted.scores(IQA_SCORE_IOU, each) == plain.scores(IQA_SCORE_IOU, each));
                    if (counts == IQA_COUNTS_MATRIX)
                        CHECK((weighted.matrix() == plain.matrix()));
                    const auto before = weighted.scores(IQA_SCORE_PRECISION, each);
                    extras.weights = narrow;
                    weighted.add(maps.reference, maps.candidate, {}, {}, &extras);
                    REQUIRE(weighted.text() == "");
                    CHECK(weighted.scores(IQA_SCORE_PRECISION, each) == before);
                    alternating[size_t(count - 1) * 2] = -1;
                    weighted.add(maps.reference, maps.candidate, {}, {}, &extras);
                    CHECK(weighted.status == IQA_ERROR_NUMERIC);
                    CHECK(weighted.scores(IQA_SCORE_PRECISION, each) == before);
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

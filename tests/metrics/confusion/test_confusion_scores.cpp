// SPDX-License-Identifier: MIT
// The class of the largest score, beside a plain loop: every type of scores, layout, instruction set and number of
// classes, with ties, both zeros, infinities, subnormals and NaN.
#include <limits>

#include "support/catch.hpp"
#include "support/confusion.hpp"

using namespace test;

namespace {

// Few values, so that many scores are equal; the last one of floats is NaN.
template <class Score>
std::vector<Score> values_of_scores()
{
    if constexpr (std::is_same_v<Score, iqa::float16>)
        return {{0xfc00}, {0xc500}, {0x8001}, {0x8000}, {0x0000}, {0x0001}, {0x3c00}, {0x3c01}, {0x7c00}, {0xfe01}};
    else if constexpr (std::is_same_v<Score, iqa::bfloat16>)
        return {{0xff80}, {0xc500}, {0x8001}, {0x8000}, {0x0000}, {0x0001}, {0x3f80}, {0x3f81}, {0x7f80}, {0xff81}};
    else if constexpr (std::is_floating_point_v<Score>) {
        using limits = std::numeric_limits<Score>;
        return {-limits::infinity(),  -5, -limits::denorm_min(), Score(-0.0),        0,
                limits::denorm_min(), 1,  1 + limits::epsilon(), limits::infinity(), limits::quiet_NaN()};
    } else {
        using limits = std::numeric_limits<Score>;
        return {limits::min(), 1, 2, 3, Score(limits::max() / 2), Score(limits::max() / 2 + 1), limits::max()};
    }
}

template <class Score>
auto number_of(Score score)
{
    if constexpr (std::is_class_v<Score>)
        return iqa::widen(score);
    else
        return score;
}

// Steps between classes, rows and columns, in scores; and those before the first.
struct layout {
    const char *name;
    int64_t of_class, of_row, of_column, before;
};

std::vector<layout> layouts(int64_t classes, int64_t height, int64_t width)
{
    const int64_t plane = height * width;
    return {{"planes", plane, width, 1, 0},
            {"rows", 1, width * classes, classes, 0},
            {"planes of a larger image", (width + 3) * height + 5, width + 3, 1, 2},
            {"rows of more classes", 1, width * (classes + 2) + 1, classes + 2, 1},
            {"lines of each class", width, classes * width, 1, 0},
            {"every second column", 2 * plane, 2 * width, 2, 0},
            {"every second class", 2, 2 * classes * width, 2 * classes, 0},
            {"rows from the last on", 1, -width * classes, -classes, (plane - 1) * classes},
            {"planes from the last class on", -plane, width, 1, (classes - 1) * plane}};
}

template <class Score>
void check_argmax(int64_t classes, int64_t height, int64_t width)
{
    const std::vector<Score> values = values_of_scores<Score>();
    const int64_t elements = height * width;
    random_numbers random(uint64_t(classes * 1000 + width));
    std::vector<Score> scores;     // [element][class]
    std::vector<int64_t> expected; // what is no class is left to be counted as invalid
    std::vector<double> diagonal(size_t(classes), 0);
    double invalid = 0;
    for (int64_t i = 0; i < elements; ++i) {
        // Low values, most often a higher one that wins, rarely NaN.
        const int64_t low = 1 + random.below(int64_t(values.size()) - 1);
        for (int64_t c = 0; c < classes; ++c)
            scores.push_back(values[size_t(random.below(low))]);
        Score *own = &scores[size_t(i * classes)];
        if (random.below(4) != 0)
            own[random.below(classes)] = values[size_t(low)];
        if (random.below(20) == 0)
            own[random.below(classes)] = values.back();
        int64_t best = 0;
        bool ordered = true;
        for (int64_t c = 0; c < classes; ++c) {
            if (number_of(own[c]) > number_of(own[best]))
                best = c;
            ordered = ordered && number_of(own[c]) == number_of(own[c]);
        }
        expected.push_back(ordered ? best : 0);
        ++(ordered ? diagonal[size_t(best)] : invalid);
    }

    auto options = counting(int(classes), [](auto &o) {
        o.candidate = IQA_LABELS_ARGMAX;
        o.out_of_range = IQA_OUT_OF_RANGE_DROP;
        o.class_axis = -1;
        o.counts = IQA_COUNTS_PER_CLASS;
    });
    for (const layout &how : layouts(classes, height, width)) {
        CAPTURE(how.name, classes, height, width);
        const auto place = [&](int64_t y, int64_t x, int64_t c) {
            return how.before + y * how.of_row + x * how.of_column + c * how.of_class;
        };
        int64_t last = 0;
        for (const int64_t y : {int64_t(0), height - 1})
            for (const int64_t x : {int64_t(0), width - 1})
                for (const int64_t c : {int64_t(0), classes - 1})
                    last = std::max(last, place(y, x, c));
        std::vector<Score> memory(size_t(last + 1), values.back());
        for (int64_t y = 0; y < height; ++y)
            for (int64_t x = 0; x < width; ++x)
                for (int64_t c = 0; c < classes; ++c)
                    memory[size_t(place(y, x, c))] = scores[size_t((y * width + x) * classes + c)];
        const tensor reference(expected.data(), IQA_INT64, {height, width});
        const tensor candidate(memory.data() + how.before, dtype_of<Score>::value, {height, width, classes},
                               {how.of_row, how.of_column, how.of_class});
        for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512}) {
            CAPTURE(isa);
            confusion m(options, 1, isa);
            m.add(reference, candidate);
            REQUIRE(m.text() == "");
            CHECK(m.field(IQA_FIELD_CONFUSION_TRUE_POSITIVES) == diagonal);
            CHECK(m.field(IQA_FIELD_CONFUSION_INVALID) == std::vector<double>{invalid});
        }
    }
}

template <class Score>
void check_type()
{
    for (const int64_t classes : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 33, 150, 300})
        for (const auto &[height, width] : {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {2, 65}, {9, 71}, {1, 64}})
            check_argmax<Score>(classes, height, width);
    check_argmax<Score>(6, 3, 1100);
}

} // namespace

TEST_CASE("argmax: the first of the largest scores, of 16-bit floats")
{
    check_type<iqa::float16>();
    check_type<iqa::bfloat16>();
    check_argmax<iqa::bfloat16>(40000, 1, 70);
}

TEST_CASE("argmax: the first of the largest scores, of float32 and float64")
{
    check_type<float>();
    check_type<double>();
}

TEST_CASE("argmax: the first of the largest scores, of integers")
{
    check_type<uint8_t>();
    check_type<int8_t>();
    check_type<uint16_t>();
    check_type<int32_t>();
    check_type<uint64_t>();
}

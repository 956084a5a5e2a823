// SPDX-License-Identifier: MIT
// Labels as people have them: element types, strides, one-hot, scores, masks; and what is refused, with its text.
#include <limits>

#include "support/catch.hpp"
#include "support/confusion.hpp"

using namespace test;
using labels = std::vector<int>;
using numbers = std::vector<double>;
using Catch::Matchers::Contains;

namespace {

// A label map and its prediction, 3 classes and 100 to be ignored.
constexpr int64_t height = 13;
constexpr int64_t width = 37;

int reference_at(int64_t y, int64_t x)
{
    return (y * 5 + x * 3) % 11 == 0 ? 100 : int((y / 4 + x / 5) % 3);
}

int candidate_at(int64_t y, int64_t x)
{
    return int((y / 4 + (x + 1) / 5) % 3);
}

template <class Label>
std::vector<Label> map_of(int (*at)(int64_t, int64_t))
{
    std::vector<Label> map;
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
            map.push_back(Label(at(y, x)));
    return map;
}

iqa_confusion_options three_classes()
{
    return counting(3, [](auto &o) { o.ignore = 1, o.ignore_label = 100; });
}

numbers expected_matrix()
{
    numbers matrix(9);
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
            if (reference_at(y, x) < 3)
                ++matrix[size_t(reference_at(y, x) * 3 + candidate_at(y, x))];
    return matrix;
}

// Scores of the candidate's classes: one axis of classes at `axis` of [classes, height, width] or [height, width,
// classes].
template <class Score>
std::vector<Score> scores_of(bool classes_first)
{
    std::vector<Score> scores(size_t(3 * height * width));
    for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x)
            for (int64_t c = 0; c < 3; ++c) {
                const int64_t at = classes_first ? (c * height + y) * width + x : (y * width + x) * 3 + c;
                const double own = c == candidate_at(y, x) ? 9 : double((x + c) % 5) + 1;
                scores[size_t(at)] = sample_from<Score>(own);
            }
    return scores;
}

template <class Score>
void check_scores()
{
    for (const bool first : {true, false}) {
        auto options = three_classes();
        options.candidate = IQA_LABELS_ARGMAX;
        options.class_axis = first ? 0 : -1;
        confusion m(options);
        const std::vector<int64_t> shape =
            first ? std::vector<int64_t>{3, height, width} : std::vector<int64_t>{height, width, 3};
        m.add(map_of<int64_t>(reference_at), scores_of<Score>(first), {height, width}, shape);
        REQUIRE(m.text() == "");
        CHECK(m.matrix() == expected_matrix());
    }
}

template <class Reference, class Candidate>
void check_types()
{
    confusion m(three_classes());
    m.add(map_of<Reference>(reference_at), map_of<Candidate>(candidate_at), {height, width});
    REQUIRE(m.text() == "");
    CHECK(m.matrix() == expected_matrix());
}

} // namespace

TEST_CASE("element types of labels, alike and different")
{
    check_types<uint8_t, uint8_t>();
    check_types<int8_t, int8_t>();
    check_types<uint16_t, uint16_t>();
    check_types<int16_t, int16_t>();
    check_types<int32_t, int32_t>();
    check_types<int64_t, int64_t>();
    check_types<uint8_t, int64_t>();
    check_types<int32_t, int16_t>();
    check_types<uint32_t, uint32_t>();
    check_types<uint64_t, uint64_t>();
    check_types<uint64_t, int32_t>();
    check_types<int64_t, uint32_t>();
}

namespace {

// How many of 5000 equal labels of the reference are ignored, and how many invalid, with 3 classes.
template <class Label>
std::pair<double, double> ignored_and_invalid(Label label, int64_t ignore_label)
{
    const auto options = counting(3, [&](auto &o) {
        o.ignore = 1;
        o.ignore_label = ignore_label;
        o.out_of_range = IQA_OUT_OF_RANGE_DROP;
    });
    confusion m(options);
    // Dense labels of one type, and such as are read one by one.
    const std::vector<Label> same(10000, label);
    const std::vector<Label> ones(10000, Label(1));
    m.add(tensor(same.data(), dtype_of<Label>::value, {2500}), tensor(ones.data(), dtype_of<Label>::value, {2500}));
    m.add(tensor(same.data(), dtype_of<Label>::value, {2500}, {2}),
          tensor(ones.data(), dtype_of<Label>::value, {2500}));
    REQUIRE(m.text() == "");
    return {m.field(IQA_FIELD_CONFUSION_IGNORED)[0], m.field(IQA_FIELD_CONFUSION_INVALID)[0]};
}

} // namespace

TEST_CASE("an ignored label is a number, whatever bits the element type has for another one")
{
    using counts = std::pair<double, double>;
    const counts ignored(5000, 0);
    const counts invalid(0, 5000);
    CHECK(ignored_and_invalid<uint32_t>(UINT32_MAX, UINT32_MAX) == ignored);
    CHECK(ignored_and_invalid<uint32_t>(UINT32_MAX, -1) == invalid);
    CHECK(ignored_and_invalid<uint32_t>(1u << 31, int64_t(1) << 31) == ignored);
    CHECK(ignored_and_invalid<uint32_t>(1u << 31, INT32_MIN) == invalid);
    CHECK(ignored_and_invalid<uint32_t>(7, (int64_t(1) << 32) + 7) == invalid);
    CHECK(ignored_and_invalid<uint64_t>(UINT64_MAX, -1) == invalid);
    CHECK(ignored_and_invalid<uint64_t>(uint64_t(1) << 63, INT64_MIN) == invalid);
    CHECK(ignored_and_invalid<uint64_t>(INT64_MAX, INT64_MAX) == ignored);
    CHECK(ignored_and_invalid<uint64_t>(uint64_t(1) << 63, INT64_MAX) == invalid);
    CHECK(ignored_and_invalid<uint8_t>(255, -1) == invalid);
    CHECK(ignored_and_invalid<uint16_t>(65535, -1) == invalid);
    CHECK(ignored_and_invalid<int8_t>(-1, 255) == invalid);
    CHECK(ignored_and_invalid<int8_t>(-1, -1) == ignored);
}

namespace {

// All labels of a type, `times` times: those of the classes are right, one is ignored, all others are outside.
template <class Label>
void check_all_labels(int64_t classes, int64_t times)
{
    constexpr int64_t lowest = std::numeric_limits<Label>::min();
    constexpr int64_t highest = std::numeric_limits<Label>::max();
    for (const int64_t ignored : {lowest, (lowest + highest + 1) / 2, highest}) {
        CAPTURE(classes, lowest, ignored);
        confusion m(counting(int(classes), [&](auto &o) {
            o.ignore = 1;
            o.ignore_label = ignored;
            o.out_of_range = IQA_OUT_OF_RANGE_DROP;
        }));
        std::vector<Label> all;
        numbers expected(size_t(classes * classes));
        double invalid = 0;
        for (int64_t label = lowest; label <= highest; ++label) {
            all.insert(all.end(), size_t(times), Label(label));
            if (label == ignored)
                continue;
            if (label >= 0 && label < classes)
                expected[size_t(label * (classes + 1))] = double(times);
            else
                invalid += double(times);
        }
        m.add(all, all);
        REQUIRE(m.text() == "");
        CHECK((m.matrix() == expected));
        CHECK(m.field(IQA_FIELD_CONFUSION_INVALID)[0] == invalid);
        CHECK(m.field(IQA_FIELD_CONFUSION_IGNORED)[0] == double(times));
    }
}

} // namespace

TEST_CASE("of each narrow type the labels of the classes are counted, and no other one")
{
    for (const int64_t classes : {2, 127, 128, 129, 200, 254, 255, 256, 300, 700}) {
        check_all_labels<int8_t>(classes, 600);
        check_all_labels<uint8_t>(classes, 600);
        check_all_labels<int16_t>(classes, 3);
        check_all_labels<uint16_t>(classes, 3);
    }
}

TEST_CASE("unsigned labels outside the classes are told as the numbers that they are")
{
    const auto text = [](auto label) {
        confusion m(counting(3));
        m.add(std::vector<decltype(label)>{1, label}, labels{1, 1});
        CHECK(m.status == IQA_ERROR_NUMERIC);
        const std::string all = m.text();
        const size_t begin = all.find("at [1]: ");
        REQUIRE(begin != std::string::npos);
        return all.substr(begin + 8, all.find(';') - begin - 8);
    };
    CHECK(text(UINT32_MAX) == "4294967295");
    CHECK(text(uint64_t(1) << 40) == "1099511627776");
    CHECK(text(UINT64_MAX) == "9223372036854775807 or more");
    CHECK(text(int64_t(-1)) == "-1");
}

TEST_CASE("booleans are two classes")
{
    const std::vector<uint8_t> x{0, 1, 1, 0};
    const std::vector<uint8_t> y{0, 1, 0, 0};
    confusion m(counting(2));
    m.add(tensor(x.data(), IQA_BOOL, {4}), tensor(y.data(), IQA_BOOL, {4}));
    CHECK(m.matrix() == numbers{2, 0, 1, 1});
}

TEST_CASE("strides: transposed, reversed, broadcast, interleaved, any number of axes")
{
    const auto x = map_of<int32_t>(reference_at);
    const auto y = map_of<uint8_t>(candidate_at);
    const auto check = [&](const tensor &reference, const tensor &candidate) {
        confusion m(three_classes());
        m.add(reference, candidate);
        REQUIRE(m.text() == "");
        CHECK(m.matrix() == expected_matrix());
    };
    check({x.data(), IQA_INT32, {width, height}, {1, width}}, {y.data(), IQA_UINT8, {width, height}, {1, width}});
    check({x.data() + x.size() - 1, IQA_INT32, {height, width}, {-width, -1}},
          {y.data() + y.size() - 1, IQA_UINT8, {height, width}, {-width, -1}});
    check({x.data(), IQA_INT32, {1, height, 1, width, 1}}, {y.data(), IQA_UINT8, {1, height, 1, width, 1}});

    std::vector<int32_t> mixed(3 * x.size(), 77);
    for (size_t i = 0; i < x.size(); ++i)
        mixed[3 * i + 1] = x[i];
    check({mixed.data() + 1, IQA_INT32, {height, width}, {3 * width, 3}}, {y.data(), IQA_UINT8, {height, width}});

    const int32_t one = 1;
    const std::vector<int32_t> row{0, 1, 2};
    confusion broadcast(counting(3));
    broadcast.add({&one, IQA_INT32, {4, 3}, {0, 0}}, {row.data(), IQA_INT32, {4, 3}, {0, 1}});
    CHECK(broadcast.matrix() == numbers{0, 0, 0, 4, 4, 4, 0, 0, 0});

    confusion scalar(counting(3));
    scalar.add({&one, IQA_INT32, {}}, {&one, IQA_INT32, {}});
    CHECK(scalar.matrix()[4] == 1);

    confusion empty(counting(3));
    empty.add({nullptr, IQA_INT32, {0, 5}}, {nullptr, IQA_INT32, {0, 5}});
    CHECK(empty.status == IQA_OK);
    CHECK(empty.field(IQA_FIELD_CONFUSION_ELEMENTS) == numbers{0});
}

TEST_CASE("scores: the largest wins, the lowest class of equal ones; NaN is no score")
{
    check_scores<uint8_t>();
    check_scores<uint32_t>();
    check_scores<uint64_t>();
    check_scores<iqa::float16>();
    check_scores<iqa::bfloat16>();
    check_scores<float>();
    check_scores<double>();

    auto options = counting(3, [](auto &o) { o.candidate = IQA_LABELS_ARGMAX; });
    // Scores that are negative as signed numbers.
    confusion wide(options);
    wide.add(labels{1, 2}, std::vector<uint64_t>{5, UINT64_MAX, 9, 1, uint64_t(1) << 63, UINT64_MAX - 1}, {2}, {2, 3});
    wide.add(labels{1, 2}, std::vector<uint32_t>{5, UINT32_MAX, 9, 1, 1u << 31, UINT32_MAX - 1}, {2}, {2, 3});
    CHECK(wide.matrix() == numbers{0, 0, 0, 0, 2, 0, 0, 0, 2});

    confusion ties(options);
    ties.add(labels{0, 0, 1}, numbers{5, 5, 5, 1, 5, 5, -1e308, 2, 2}, {3}, {3, 3});
    CHECK(ties.matrix() == numbers{1, 1, 0, 0, 1, 0, 0, 0, 0});

    for (const bool planar : {false, true}) {
        const numbers rows{5, 4, 3, no_number, 9, 1, 1, no_number, 9};
        const numbers planes{5, no_number, 1, 4, 9, no_number, 3, 1, 9};
        confusion m(options);
        options.class_axis = planar ? 0 : 1;
        confusion laid_out(options);
        laid_out.add(labels{0, 1, 2}, planar ? planes : rows, {3}, {3, 3});
        CHECK(laid_out.status == IQA_ERROR_NUMERIC);
        CHECK(laid_out.text() == "2 elements have a label outside 0 ... 2, the first in the candidate at [1]: NaN; set "
                                 "ignore_label to drop it, or out_of_range to count such elements as invalid");
    }
}

TEST_CASE("top-k: the reference's class where it is among the largest scores, else the largest")
{
    const numbers scores{.1, .2, .7, /**/ .3, .4, .3, /**/ .5, .3, .2};
    const labels reference{1, 2, 2};
    const auto with = [&](int k) {
        confusion m(counting(3, [&](auto &o) { o.candidate = IQA_LABELS_ARGMAX, o.top_k = k; }));
        m.add(reference, scores, {3}, {3, 3});
        return m.matrix();
    };
    CHECK(with(1) == numbers{0, 0, 0, 0, 0, 1, 1, 1, 0});
    CHECK(with(2) == numbers{0, 0, 0, 0, 1, 0, 1, 1, 0}); // class 2 ties with class 0 and comes after it
    CHECK(with(3) == numbers{0, 0, 0, 0, 1, 0, 0, 0, 2});
}

TEST_CASE("one-hot labels, on either side; no class and two classes are labels of their own")
{
    const labels hot{1, 0, 0, /**/ 0, 0, 1, /**/ 0, 0, 0, /**/ 0, 1, 1};
    const auto options = counting(3, [](auto &o) { o.reference = IQA_LABELS_ONE_HOT; });
    confusion refused(options);
    refused.add(hot, labels{0, 1, 2, 0}, {4, 3}, {4});
    CHECK(refused.status == IQA_ERROR_NUMERIC);
    CHECK_THAT(refused.text(), Contains("2 elements") && Contains("reference at [2]: no 1 at all (label -1)"));

    auto lenient = options;
    lenient.ignore = 1;
    lenient.ignore_label = -1;
    lenient.out_of_range = IQA_OUT_OF_RANGE_DROP;
    confusion m(lenient);
    m.add(hot, labels{0, 1, 2, 0}, {4, 3}, {4});
    CHECK(m.matrix() == numbers{1, 0, 0, 0, 0, 0, 0, 1, 0});
    CHECK(m.field(IQA_FIELD_CONFUSION_IGNORED) == numbers{1});
    CHECK(m.field(IQA_FIELD_CONFUSION_INVALID) == numbers{1});
}

TEST_CASE("multilabel scores above a threshold; labels that are ignored one by one; the axis of labels anywhere")
{
    auto options = counting(2, [](auto &o) {
        o.task = IQA_TASK_MULTILABEL;
        o.candidate = IQA_LABELS_THRESHOLD;
        o.threshold = 0; // logits
        o.ignore = 1;
        o.ignore_label = -1;
    });
    confusion m(options);
    m.add(labels{1, 0, -1, 1, 0, 1}, numbers{.1, -.1, 5, 0, 3, 2}, {3, 2});
    CHECK(m.matrix() == numbers{0, 1, 0, 1, 1, 0, 1, 1});
    CHECK(m.field(IQA_FIELD_CONFUSION_IGNORED) == numbers{1});
    options.class_axis = 0;
    confusion first(options);
    first.add(labels{1, -1, 0, 0, 1, 1}, numbers{.1, 5, 3, -.1, 0, 2}, {2, 3});
    CHECK(first.matrix() == m.matrix());

    first.add(labels{1, 2, 0, 0, 1, 1}, numbers{.1, 5, 3, -.1, 0, 2}, {2, 3});
    CHECK_THAT(first.text(),
               Contains("1 element has a label outside 0 ... 1, the first in the reference at [0, 1]: 2"));
}

TEST_CASE("labels outside the classes: an error with number, value and place; dropped; or wrong")
{
    const labels reference{0, 1, 7, 2, -100, 1};
    const labels candidate{0, -3, 1, 2, 900, 1};
    for (const int classes : {3, 300}) { // codes of 8 and of 32 bits
        CAPTURE(classes);
        auto options = counting(classes, [](auto &o) { o.counts = IQA_COUNTS_PER_CLASS; });
        options.ignore = 1;
        options.ignore_label = -100; // what the candidate has there does not matter
        labels x = reference;
        if (classes == 300)
            x[2] = 300;
        confusion error(options);
        error.add(x, candidate, {2, 3});
        CHECK(error.status == IQA_ERROR_NUMERIC);
        CHECK_THAT(error.text(), Contains("2 elements have a label outside 0 ... " + std::to_string(classes - 1)) &&
                                     Contains("the first in the candidate at [0, 1]: -3"));
        CHECK(error.field(IQA_FIELD_CONFUSION_ELEMENTS) == numbers{0});

        options.out_of_range = IQA_OUT_OF_RANGE_DROP;
        confusion dropped(options);
        dropped.add(x, candidate, {2, 3});
        CHECK(dropped.field(IQA_FIELD_CONFUSION_INVALID) == numbers{2});
        CHECK(dropped.field(IQA_FIELD_CONFUSION_IGNORED) == numbers{1});
        CHECK(dropped.score(IQA_SCORE_F, IQA_AVERAGE_MICRO) == 1.0);

        options.out_of_range = IQA_OUT_OF_RANGE_WRONG;
        confusion wrong(options);
        wrong.add(x, candidate, {2, 3});
        CHECK(wrong.field(IQA_FIELD_CONFUSION_INVALID) == numbers{2});
        const numbers positives = wrong.field(IQA_FIELD_CONFUSION_FALSE_POSITIVES);
        const numbers negatives = wrong.field(IQA_FIELD_CONFUSION_FALSE_NEGATIVES);
        CHECK((positives[0] == 0 && positives[1] == 1 && positives[2] == 0));
        CHECK((negatives[0] == 0 && negatives[1] == 1 && negatives[2] == 0));
        CHECK(close(wrong.score(IQA_SCORE_F, IQA_AVERAGE_MICRO), 0.75));
    }
}

TEST_CASE("where both labels are outside the classes the reference's is told")
{
    for (const int classes : {3, 300}) {
        confusion m(counting(classes, [](auto &o) { o.counts = IQA_COUNTS_PER_CLASS; }));
        m.add(labels{0, 777, 1}, labels{0, 999, -1});
        CHECK_THAT(m.text(), Contains("2 elements") && Contains("the first in the reference at [1]: 777"));
    }
}

TEST_CASE("labels that would fall into the cell of another one")
{
    const struct {
        labels reference, candidate;
    } cases[] = {{{1}, {3}}, {{2}, {-1}}, {{2}, {5}}, {{255}, {0}}, {{-128}, {0}}};
    for (const auto &each : cases) {
        confusion m(counting(3, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_DROP; }));
        m.add(each.reference, each.candidate);
        CHECK(m.matrix() == numbers(9));
        CHECK(m.field(IQA_FIELD_CONFUSION_INVALID) == numbers{1});
    }
    // -100 as a byte is 156: within 200 classes, but another label.
    confusion narrow(counting(200, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_DROP; }));
    narrow.add(std::vector<int8_t>(5000, -100), std::vector<int8_t>(5000, 3));
    CHECK(narrow.field(IQA_FIELD_CONFUSION_INVALID) == numbers{5000});
    // Labels whose low 32 bits are a class.
    confusion wide(counting(3, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_DROP; }));
    wide.add(std::vector<int64_t>(5000, (int64_t(1) << 32) + 1), std::vector<int64_t>(5000, 1));
    CHECK(wide.field(IQA_FIELD_CONFUSION_INVALID) == numbers{5000});
}

TEST_CASE("weights: exact sums, and those that cannot be")
{
    const auto options = counting(2, [](auto &o) { o.weighted = 1; });
    const labels reference{0, 0, 1, 1, 1};
    const labels candidate{0, 1, 1, 1, 1};
    const auto run = [&](confusion &m, const numbers &weights) {
        const tensor view(weights.data(), IQA_FLOAT64, {5});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.weights = view;
        m.add(reference, candidate, {}, {}, &extras);
    };
    confusion m(options);
    run(m, {0.1, 0.25, 0x1p60, 1, 0x1p-70});
    REQUIRE(m.text() == "");
    CHECK(m.matrix() == numbers{0.1, 0.25, 0, 0x1p60 + 1});
    run(m, {0, 0, 0x1p60, 0, 0});
    CHECK(m.matrix()[3] == 0x1p61 + 1);

    confusion tenths(options); // ten times 0.1, rounded once
    for (int i = 0; i < 10; ++i)
        run(tenths, {0.1, 0, 0, 0, 0});
    CHECK(tenths.matrix()[0] == 1.0);

    for (const double bad : {-1.0, no_number, HUGE_VAL, 0x1p64, 0x1p-77}) {
        confusion refused(options);
        run(refused, {1, 1, 1, bad, 1});
        CHECK(refused.status == IQA_ERROR_NUMERIC);
        CHECK(refused.text() == "the weight at [3] is not one whose sums are exact; expected 0, or 2^-76 to 2^64");
        CHECK(refused.matrix() == numbers(4));
    }
}

TEST_CASE("outputs of no samples need no memory")
{
    const auto how = reading(IQA_AVERAGE_MACRO);
    confusion m(counting(3, [&](auto &o) { o.batched = 1, o.score = IQA_SCORE_IOU, o.reading = &how; }));
    const tensor nothing(nullptr, IQA_INT32, {0, 5});
    const tensor values(nullptr, IQA_FLOAT64, {0});
    const tensor counts(nullptr, IQA_INT64, {0, 3, 4});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = values;
    extras.counts = counts;
    m.add(nothing, nothing, &extras);
    CHECK(m.text() == "");
    CHECK(m.status == IQA_OK);
}

TEST_CASE("what is refused, in words")
{
    const auto create = [](auto &&change) {
        confusion m(counting(3, change));
        CHECK(m.status == IQA_ERROR_INVALID_ARGUMENT);
        return m.text();
    };
    CHECK(create([](auto &o) { o.classes = 0; }) == "classes is 0; expected 1 to 65536");
    CHECK_THAT(create([](auto &o) { o.classes = 65536; }), Contains("MiB") && Contains("IQA_COUNTS_PER_CLASS"));
    CHECK_THAT(create([](auto &o) { o.candidate = IQA_LABELS_THRESHOLD; }), Contains("candidate"));
    CHECK_THAT(create([](auto &o) { o.top_k = 2; }), Contains("IQA_LABELS_ARGMAX"));
    CHECK_THAT(create([](auto &o) { o.ignore = 255; }), Contains("ignore is 255; expected 0 or 1"));
    CHECK_THAT(create([](auto &o) { o.score = IQA_SCORE_F; }), Contains("the average is not stated"));
    CHECK_THAT(create([](auto &o) { o.task = IQA_TASK_MULTILABEL, o.reference = IQA_LABELS_ARGMAX; }),
               Contains("multilabel takes"));

    const labels x{0, 1, 2, 0};
    const auto refuse = [&](confusion &m, iqa_status status) {
        CHECK(m.status == status);
        return m.text();
    };
    confusion shape(counting(3));
    shape.add(x, x, {4}, {2, 2});
    CHECK_THAT(refuse(shape, IQA_ERROR_SHAPE), Contains("candidate has shape [2, 2] but reference has [4]"));
    confusion type(counting(3));
    type.add(x, numbers{0, 1, 2, 0});
    CHECK_THAT(refuse(type, IQA_ERROR_DTYPE), Contains("candidate has element type float64"));
    confusion axis(counting(3, [](auto &o) { o.candidate = IQA_LABELS_ARGMAX; }));
    axis.add(x, numbers(16), {4}, {4, 4});
    CHECK_THAT(refuse(axis, IQA_ERROR_SHAPE), Contains("with 4 along its axis of classes, axis 1; expected 3"));
    axis.add(x, numbers(4));
    CHECK_THAT(refuse(axis, IQA_ERROR_SHAPE), Contains("has no axis of classes at 1"));

    confusion m(counting(3));
    m.score(IQA_SCORE_MCC);
    CHECK_THAT(refuse(m, IQA_ERROR_NO_DATA), Contains("no labels were added yet"));
    m.add(x, x);
    m.score(IQA_SCORE_F);
    CHECK_THAT(refuse(m, IQA_ERROR_INVALID_ARGUMENT), Contains("the average is not stated"));
    m.score(IQA_SCORE_F, IQA_AVERAGE_BINARY);
    CHECK_THAT(refuse(m, IQA_ERROR_INVALID_ARGUMENT), Contains("class 1 of 2, but there are 3 classes"));
    m.score(IQA_SCORE_F, IQA_AVERAGE_PAIRS);
    CHECK_THAT(refuse(m, IQA_ERROR_INVALID_ARGUMENT), Contains("keep_samples"));
    double value = 0;
    CHECK(iqa_metric_compute(m.metric().get(), &value) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK_THAT(m.text(), Contains("state no score"));
    CHECK(iqa_metric_read(m.metric().get(), IQA_FIELD_MSE, &value, 1, nullptr) == IQA_ERROR_INVALID_ARGUMENT);

    // Samples are read as they were summed.
    const auto kept = reading(IQA_AVERAGE_MACRO, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    confusion samples(counting(3, [&](auto &o) { o.keep_samples = 1, o.reading = &kept; }));
    samples.add(x, x);
    auto other = kept;
    other.empty = IQA_EMPTY_ONE;
    samples.score(IQA_SCORE_F, other);
    CHECK_THAT(refuse(samples, IQA_ERROR_INVALID_ARGUMENT), Contains("empty is 2, but the samples were summed"));
    samples.score(IQA_SCORE_MCC, kept);
    CHECK_THAT(refuse(samples, IQA_ERROR_INVALID_ARGUMENT), Contains("samples do not have"));
}

TEST_CASE("the headline score, in one call")
{
    const auto how = reading(IQA_AVERAGE_MACRO);
    auto options = counting(3, [&](auto &o) { o.score = IQA_SCORE_IOU, o.reading = &how; });
    const labels x{2, 1, 0, 0};
    const labels y{2, 1, 0, 1};
    const tensor reference(x.data(), IQA_INT32, {4});
    const tensor candidate(y.data(), IQA_INT32, {4});
    const context_pointer context = make_context();
    double value = 0;
    REQUIRE(iqa_measure_confusion(context.get(), &options, reference, candidate, &value) == IQA_OK);
    CHECK(close(value, 2.0 / 3));
}

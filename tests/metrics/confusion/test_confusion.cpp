// SPDX-License-Identifier: MIT
// Scores of small cases whose values are known: from definitions, from the documentation of other libraries, and from
// the questions of their users.
#include "support/catch.hpp"
#include "support/confusion.hpp"

using namespace test;
using labels = std::vector<int>;
using numbers = std::vector<double>;

namespace {

iqa_confusion_options ignoring(int classes, int64_t label)
{
    return counting(classes, [&](auto &o) { o.ignore = 1, o.ignore_label = label; });
}

iqa_confusion_options multilabel(int classes)
{
    return counting(classes, [](auto &o) { o.task = IQA_TASK_MULTILABEL; });
}

iqa_confusion_reading convention(int which)
{
    iqa_confusion_reading how;
    REQUIRE(iqa_confusion_reading_preset(&how, sizeof how, which) == IQA_OK);
    return how;
}

iqa_confusion_reading convention(int which, int average)
{
    iqa_confusion_reading how = convention(which);
    how.average = average;
    return how;
}

// Options that keep samples, read as `how` says.
iqa_confusion_options by_sample(int classes, const iqa_confusion_reading &how)
{
    return counting(classes, [&](auto &o) { o.batched = 1, o.keep_samples = 1, o.reading = &how; });
}

} // namespace

TEST_CASE("binary labels: matrix, Jaccard, kappa, correlation")
{
    confusion m(counting(2));
    m.add(labels{1, 1, 0, 0}, labels{0, 1, 0, 0});
    CHECK(m.matrix() == numbers{2, 0, 1, 1});
    CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_BINARY), 0.5));
    CHECK(close(m.score(IQA_SCORE_KAPPA), 0.5));
    CHECK(close(m.score(IQA_SCORE_MCC), 1 / std::sqrt(3.0)));
}

TEST_CASE("three classes: every score of the classes and their mean")
{
    confusion m(counting(3));
    m.add(labels{2, 1, 0, 0}, labels{2, 1, 0, 1});
    CHECK(m.matrix() == numbers{1, 1, 0, 0, 1, 0, 0, 0, 1});
    const auto check = [&](int score, const numbers &each, double macro, double beta = 1) {
        const auto with = [&](int average) {
            return reading(average, [&](auto &r) { r.beta = beta; });
        };
        CHECK(close(m.scores(score, with(IQA_AVERAGE_NONE)), each));
        CHECK(close(m.score(score, with(IQA_AVERAGE_MACRO)), macro));
    };
    check(IQA_SCORE_F, {2.0 / 3, 2.0 / 3, 1}, 7.0 / 9);
    check(IQA_SCORE_DICE, {2.0 / 3, 2.0 / 3, 1}, 7.0 / 9);
    check(IQA_SCORE_F, {5.0 / 9, 5.0 / 6, 1}, 43.0 / 54, 2);
    check(IQA_SCORE_PRECISION, {1, 0.5, 1}, 5.0 / 6);
    check(IQA_SCORE_RECALL, {0.5, 1, 1}, 5.0 / 6);
    check(IQA_SCORE_ACCURACY, {0.5, 1, 1}, 5.0 / 6);
    check(IQA_SCORE_SPECIFICITY, {1, 2.0 / 3, 1}, 8.0 / 9);
    check(IQA_SCORE_IOU, {0.5, 0.5, 1}, 2.0 / 3);
    CHECK(close(m.score(IQA_SCORE_KAPPA), 7.0 / 11));
    CHECK(close(m.score(IQA_SCORE_KAPPA_LINEAR), 5.0 / 7));
    CHECK(close(m.score(IQA_SCORE_KAPPA_QUADRATIC), 0.8));
    CHECK(close(m.score(IQA_SCORE_MCC), 0.7));

    // True positives, false positives, true negatives, false negatives, support.
    CHECK(m.field(IQA_FIELD_CONFUSION_TRUE_POSITIVES) == numbers{1, 1, 1});
    CHECK(m.field(IQA_FIELD_CONFUSION_FALSE_POSITIVES) == numbers{0, 1, 0});
    CHECK(m.field(IQA_FIELD_CONFUSION_TRUE_NEGATIVES) == numbers{2, 2, 3});
    CHECK(m.field(IQA_FIELD_CONFUSION_FALSE_NEGATIVES) == numbers{1, 0, 0});
    CHECK(m.field(IQA_FIELD_CONFUSION_SUPPORT) == numbers{2, 1, 1});
}

TEST_CASE("samples one by one")
{
    const auto how = reading(IQA_AVERAGE_MACRO, [](auto &r) { r.empty = IQA_EMPTY_SKIP_IN_AVERAGES; });
    numbers values(2);
    numbers each(6);
    const tensor per_image(values.data(), IQA_FLOAT64, {2});
    const tensor per_channel(each.data(), IQA_FLOAT64, {2, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = per_image;
    extras.per_channel = per_channel;
    const auto run = [&](int score) {
        confusion m(counting(3, [&](auto &o) { o.batched = 1, o.score = score, o.reading = &how; }));
        m.add(labels{0, 1, 2, 1, 0, 2, 1, 1, 2, 0, 1, 2}, labels{0, 2, 2, 0, 0, 1, 2, 2, 2, 1, 1, 0}, {2, 3, 2}, {},
              &extras);
        REQUIRE(m.status == IQA_OK);
    };
    run(IQA_SCORE_F);
    CHECK(close(each, {0.8, 0, 0.5, 0, 0.4, 0.4}));
    CHECK(close(values, {1.3 / 3, 0.8 / 3}));
    run(IQA_SCORE_RECALL);
    CHECK(close(values, {0.5, 5.0 / 18}));
    run(IQA_SCORE_PRECISION);
    CHECK(close(values, {7.0 / 18, 5.0 / 18}));
}

TEST_CASE("several labels for an element")
{
    confusion m(multilabel(3));
    m.add(labels{0, 1, 0, 1, 0, 1}, labels{0, 0, 1, 1, 0, 1}, {2, 3});
    CHECK(m.matrix() == numbers{1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1});
    const auto rule = [](int average) {
        return convention(IQA_CONVENTION_TORCHMETRICS_MULTILABEL, average);
    };
    CHECK(close(m.scores(IQA_SCORE_F, rule(IQA_AVERAGE_NONE)), {1, 0, 2.0 / 3}));
    CHECK(close(m.score(IQA_SCORE_F, rule(IQA_AVERAGE_MACRO)), 5.0 / 9));
    CHECK(close(m.score(IQA_SCORE_IOU, rule(IQA_AVERAGE_MACRO)), 0.5));
    CHECK(close(m.scores(IQA_SCORE_ACCURACY, rule(IQA_AVERAGE_NONE)), {1, 0.5, 0.5}));
    CHECK(close(m.score(IQA_SCORE_ACCURACY, rule(IQA_AVERAGE_MACRO)), 2.0 / 3));
    CHECK(close(m.score(IQA_SCORE_MCC), 1.0 / 3));
}

TEST_CASE("binary scores above a threshold, which 0.5 itself is not")
{
    const auto options = counting(2, [](auto &o) { o.candidate = IQA_LABELS_THRESHOLD; });
    confusion m(options);
    m.add(labels{0, 1, 0, 1, 0, 1}, numbers{.11, .22, .84, .73, .33, .92});
    for (const int score : {IQA_SCORE_F, IQA_SCORE_PRECISION, IQA_SCORE_SPECIFICITY})
        CHECK(close(m.score(score, IQA_AVERAGE_BINARY), 2.0 / 3));
    CHECK(close(m.score(IQA_SCORE_F, reading(IQA_AVERAGE_BINARY, [](auto &r) { r.beta = 2; })), 2.0 / 3));

    // What a score means does not depend on the other scores of the batch.
    for (const double largest : {1.0, 1.1}) {
        confusion same(options);
        same.add(labels{0, 1, 1, 0}, numbers{.2, .9, largest, .5});
        CHECK(same.score(IQA_SCORE_ACCURACY, IQA_AVERAGE_BINARY) == 1.0);
    }
}

TEST_CASE("examples of scikit-learn's documentation")
{
    confusion a(counting(3));
    a.add(labels{0, 1, 2, 0, 1, 2}, labels{0, 2, 1, 0, 0, 1});
    CHECK(close(a.score(IQA_SCORE_F, IQA_AVERAGE_MACRO), 0.8 / 3));
    CHECK(close(a.score(IQA_SCORE_F, IQA_AVERAGE_MICRO), 1.0 / 3));
    CHECK(close(a.score(IQA_SCORE_F, IQA_AVERAGE_WEIGHTED), 0.8 / 3));
    CHECK(close(a.scores(IQA_SCORE_F), {0.8, 0, 0}));
    CHECK(close(a.score(IQA_SCORE_F, reading(IQA_AVERAGE_MACRO, [](auto &r) { r.beta = 0.5; })), 5.0 / 21));

    confusion b(counting(3));
    b.add(labels{2, 0, 2, 2, 0, 1}, labels{0, 0, 2, 2, 0, 2});
    CHECK(b.matrix() == numbers{2, 0, 0, 0, 0, 1, 1, 0, 2});

    confusion c(counting(2));
    c.add(labels{1, 1, 1, 0}, labels{1, 0, 1, 1});
    CHECK(close(c.score(IQA_SCORE_MCC), -1.0 / 3));

    confusion d(counting(3));
    d.add(labels{0, 1, 2, 2}, labels{0, 2, 1, 2});
    CHECK(close(d.scores(IQA_SCORE_IOU), {1, 0, 1.0 / 3}));
}

TEST_CASE("an ignored label: 255 is left out, or is one more wrong class")
{
    const labels reference{1, 1, 1, 2, 2, 2, 255};
    const labels candidate{1, 1, 1, 2, 2, 2, 3};
    confusion ignored(ignoring(6, 255));
    ignored.add(reference, candidate);
    CHECK(ignored.score(IQA_SCORE_F, IQA_AVERAGE_MICRO) == 1.0);
    CHECK(ignored.field(IQA_FIELD_CONFUSION_IGNORED) == numbers{1});

    confusion wrong(counting(256));
    wrong.add(reference, candidate);
    CHECK(close(wrong.score(IQA_SCORE_F, IQA_AVERAGE_MICRO), 6.0 / 7));
}

TEST_CASE("an ignored label inside the range; leaving a class out of averages is another thing")
{
    uint8_t mask[3] = {1, 0, 0};
    const auto without_0 = [&](int average, int classes) {
        return reading(average, [&](auto &r) { r.excluded = mask, r.excluded_count = classes; });
    };
    confusion a(ignoring(2, 0));
    a.add(labels{0, 0, 1, 1}, labels{0, 0, 0, 1});
    CHECK(close(a.score(IQA_SCORE_RECALL, without_0(IQA_AVERAGE_MACRO, 2)), 0.5));

    confusion b(ignoring(3, 0));
    b.add(labels{0, 1, 2, 0, 1, 2}, labels{0, 1, 2, 0, 1, 2});
    CHECK(b.score(IQA_SCORE_ACCURACY, IQA_AVERAGE_MACRO) == 1.0);

    confusion c(ignoring(3, 0));
    c.add(labels{0, 1, 2, 1, 0}, labels{0, 1, 2, 0, 1});
    CHECK(c.matrix() == numbers{0, 0, 0, 1, 1, 0, 0, 0, 1});
    CHECK(close(c.scores(IQA_SCORE_F, without_0(IQA_AVERAGE_NONE, 3)), {0, 2.0 / 3, 1}));
    CHECK(close(c.score(IQA_SCORE_F, without_0(IQA_AVERAGE_MACRO, 3)), 5.0 / 6));
    CHECK(close(c.score(IQA_SCORE_F, IQA_AVERAGE_MACRO), 5.0 / 9));
}

TEST_CASE("a negative ignored label; a class that is never predicted")
{
    confusion m(ignoring(4, -1));
    m.add(labels{0, 1, 0, 3, -1, 0, 0, 1, 2, 3}, labels{0, 1, 0, 3, 0, 2, 3, 1, 0, 3});
    CHECK(close(m.score(IQA_SCORE_PRECISION, IQA_AVERAGE_MACRO), 7.0 / 12));
}

TEST_CASE("the mean leaves out classes that occur nowhere, and none that occurs somewhere")
{
    confusion m(counting(5));
    m.add(labels{2, 1, 0, 4}, labels{2, 1, 0, 1});
    CHECK(close(m.score(IQA_SCORE_F, IQA_AVERAGE_MACRO), 2.0 / 3));
    CHECK(m.field(IQA_FIELD_CONFUSION_PRESENCE) == numbers{3, 3, 3, 0, 1});

    confusion constant(counting(3));
    constant.add(labels{0, 0}, labels{0, 0});
    CHECK(constant.score(IQA_SCORE_F, IQA_AVERAGE_MACRO) == 1.0);
    CHECK(close(constant.score(IQA_SCORE_F, reading(IQA_AVERAGE_MACRO, [](auto &r) { r.empty = IQA_EMPTY_AS_RATIO; })),
                1.0 / 3));
}

TEST_CASE("regions of a label map")
{
    labels reference(9 * 10, 0);
    const auto fill = [](labels &map, int top, int left, int rows, int columns, int label) {
        for (int y = top; y < top + rows; ++y)
            std::fill_n(map.begin() + y * 10 + left, columns, label);
    };
    fill(reference, 1, 1, 3, 3, 1);
    fill(reference, 1, 6, 3, 3, 3);
    fill(reference, 5, 1, 3, 3, 2);
    fill(reference, 5, 6, 3, 3, 4);
    labels candidate = reference;
    fill(reference, 4, 0, 1, 10, 5);
    fill(candidate, 4, 0, 1, 5, 5);
    fill(candidate, 3, 1, 1, 3, 5);
    confusion m(counting(6));
    m.add(reference, candidate, {9, 10});
    CHECK(close(m.scores(IQA_SCORE_IOU), {44.0 / 49, 2.0 / 3, 1, 1, 1, 5.0 / 13}));
}

TEST_CASE("a class that occurs in one of a thousand samples and is missed there has Dice 0")
{
    const auto how = reading(IQA_AVERAGE_NONE, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    labels reference(1000 * 4, 1);
    const labels candidate(1000 * 4, 1);
    reference[2000] = 0;
    confusion m(by_sample(2, how));
    m.add(reference, candidate, {1000, 4});
    CHECK(m.scores(IQA_SCORE_DICE, how)[0] == 0.0);
    CHECK(m.scores(IQA_SCORE_DICE)[0] == 0.0);
}

TEST_CASE("a class that occurs in no sample has no score")
{
    const auto how = reading(IQA_AVERAGE_NONE, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    const labels same{0, 1, 0, 1, 0, 1, 0, 1};
    confusion m(by_sample(3, how));
    m.add(same, same, {4, 2});
    CHECK(close(m.scores(IQA_SCORE_DICE, how), {1, 1, no_number}));
    CHECK(close(m.scores(IQA_SCORE_DICE), {1, 1, no_number}));
}

TEST_CASE("Dice and IoU of masks")
{
    confusion m(counting(2));
    m.add(labels{1, 0, 1, 1}, labels{1, 0, 0, 1}, {2, 2});
    CHECK(close(m.score(IQA_SCORE_DICE, IQA_AVERAGE_BINARY), 0.8));
    CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_BINARY), 2.0 / 3));
}

TEST_CASE("generalised Dice of overlapping masks, sample by sample")
{
    const labels candidate{1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, /**/ 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0};
    const labels reference{1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, /**/ 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0};
    const auto how = reading(IQA_AVERAGE_NONE);
    auto options = multilabel(3);
    options.batched = 1;
    options.reading = &how;
    numbers values(2);
    numbers each(6);
    const tensor per_image(values.data(), IQA_FLOAT64, {2});
    const tensor per_channel(each.data(), IQA_FLOAT64, {2, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;

    options.score = IQA_SCORE_GENERALIZED_DICE;
    extras.per_image = per_image;
    confusion whole(options);
    whole.add(reference, candidate, {2, 3, 2, 2}, {}, &extras);
    REQUIRE(whole.status == IQA_OK);
    CHECK(close(values, {6.0 / 11, 6.0 / 11}));

    options.score = IQA_SCORE_DICE;
    extras.per_image = nullptr;
    extras.per_channel = per_channel;
    confusion classes(options);
    classes.add(reference, candidate, {2, 3, 2, 2}, {}, &extras);
    REQUIRE(classes.status == IQA_OK);
    CHECK(close(each, {6.0 / 7, 0, 0, 0.5, 0.4, 2.0 / 3}));
}

TEST_CASE("generalised Dice of full and empty masks")
{
    const auto value = [](int reference, int candidate) {
        confusion m(multilabel(1));
        m.add(labels(4, reference), labels(4, candidate), {1, 1, 2, 2});
        return m.score(IQA_SCORE_GENERALIZED_DICE, convention(IQA_CONVENTION_MONAI_KEEP_EMPTY, IQA_AVERAGE_UNSTATED));
    };
    const auto over_elements = [](int reference, int candidate, int empty) {
        confusion m(multilabel(1));
        m.add(labels(4, reference), labels(4, candidate), {1, 1, 2, 2});
        return m.score(IQA_SCORE_GENERALIZED_DICE, reading(0, [&](auto &r) { r.empty = empty; }));
    };
    CHECK(over_elements(1, 1, IQA_EMPTY_ONE_ELSE_ZERO) == 1.0);
    CHECK(over_elements(0, 1, IQA_EMPTY_ONE_ELSE_ZERO) == 0.0);
    CHECK(over_elements(1, 0, IQA_EMPTY_ONE_ELSE_ZERO) == 0.0);
    CHECK(over_elements(0, 0, IQA_EMPTY_ONE_ELSE_ZERO) == 1.0);
    CHECK(std::isnan(over_elements(0, 0, IQA_EMPTY_SKIP)));
    CHECK(value(1, 1) == -12345.0); // the convention reads samples, and none were kept
}

TEST_CASE("segmentation conventions on one small case")
{
    const labels reference{0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2};
    const labels candidate{0, 0, 0, 0, 0, 2, 1, 1, 0, 0, 0, 0, 2, 2, 1, 1};
    const auto samples = [](int average) {
        return reading(average, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    };
    const auto kept = samples(IQA_AVERAGE_MACRO);
    std::vector<int64_t> counts(2 * 3 * 4);
    numbers values(2);
    numbers each(6);
    const tensor count_tensor(counts.data(), IQA_INT64, {2, 3, 4});
    const tensor per_image(values.data(), IQA_FLOAT64, {2});
    const tensor per_channel(each.data(), IQA_FLOAT64, {2, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.counts = count_tensor;
    extras.per_image = per_image;
    extras.per_channel = per_channel;
    auto options = by_sample(3, kept);
    options.score = IQA_SCORE_DICE;
    confusion m(options);
    m.add(reference, candidate, {2, 8}, {}, &extras);
    REQUIRE(m.status == IQA_OK);

    SECTION("counts")
    {
        CHECK(m.matrix() == numbers{9, 0, 1, 0, 2, 0, 0, 2, 2});
        CHECK(counts == std::vector<int64_t>{5, 0, 1, 2, 2, 0, 0, 6, 0, 1, 0, 7, //
                                             4, 0, 0, 4, 0, 2, 0, 6, 2, 0, 2, 4});
    }
    SECTION("of the data set")
    {
        CHECK(close(m.scores(IQA_SCORE_F), {18.0 / 19, 2.0 / 3, 4.0 / 7}));
        CHECK(close(m.score(IQA_SCORE_F, IQA_AVERAGE_MACRO), (18.0 / 19 + 2.0 / 3 + 4.0 / 7) / 3));
        CHECK(close(m.score(IQA_SCORE_F, IQA_AVERAGE_MICRO), 0.8125));
        CHECK(close(m.score(IQA_SCORE_F, IQA_AVERAGE_WEIGHTED), (10 * 18.0 / 19 + 2 * 2.0 / 3 + 4 * 4.0 / 7) / 16));
        CHECK(close(m.scores(IQA_SCORE_IOU), {0.9, 0.5, 0.4}));
        CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_MACRO), 0.6));
        CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_MICRO), 13.0 / 19));
        CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_WEIGHTED), 0.725));
        CHECK(close(m.score(IQA_SCORE_FREQUENCY_WEIGHTED_IOU), 0.725));
        CHECK(close(m.score(IQA_SCORE_ACCURACY, IQA_AVERAGE_MACRO), 0.8));
        CHECK(close(m.score(IQA_SCORE_BALANCED_ACCURACY), 0.8));
        CHECK(close(m.score(IQA_SCORE_ACCURACY, IQA_AVERAGE_MICRO), 0.8125));
        CHECK(close(m.score(IQA_SCORE_SPECIFICITY, IQA_AVERAGE_MACRO), (1 + 12.0 / 14 + 11.0 / 12) / 3));
        CHECK(close(m.score(IQA_SCORE_SPECIFICITY, IQA_AVERAGE_MICRO), 0.90625));
        CHECK(close(m.score(IQA_SCORE_IOU, convention(IQA_CONVENTION_MMSEGMENTATION)), 0.6));
    }
    SECTION("of two of the classes")
    {
        uint8_t mask[3] = {1, 0, 0};
        const auto foreground = [&](int average) {
            return reading(average, [&](auto &r) { r.excluded = mask, r.excluded_count = 3; });
        };
        CHECK(close(m.score(IQA_SCORE_F, foreground(IQA_AVERAGE_MACRO)), 13.0 / 21));
        CHECK(close(m.score(IQA_SCORE_F, foreground(IQA_AVERAGE_MICRO)), 8.0 / 13));
        CHECK(close(m.score(IQA_SCORE_F, foreground(IQA_AVERAGE_WEIGHTED)), (2 * 2.0 / 3 + 4 * 4.0 / 7) / 6));
        CHECK(close(m.score(IQA_SCORE_IOU, foreground(IQA_AVERAGE_MACRO)), 0.45));
    }
    SECTION("of the samples")
    {
        CHECK(close(each, {10.0 / 11, 1, 0, 1, 0, 2.0 / 3}));
        CHECK(close(values, {7.0 / 11, 5.0 / 9}));
        CHECK(close(m.score(IQA_SCORE_DICE, samples(IQA_AVERAGE_MACRO)), (7.0 / 11 + 5.0 / 9) / 2));
        CHECK(close(m.score(IQA_SCORE_DICE, samples(IQA_AVERAGE_MICRO)), (0.875 + 0.75) / 2));
        CHECK(close(m.score(IQA_SCORE_DICE, samples(IQA_AVERAGE_WEIGHTED)),
                    ((60.0 / 11 + 2) / 8 + (4 + 8.0 / 3) / 8) / 2));
        CHECK(close(m.scores(IQA_SCORE_DICE, samples(IQA_AVERAGE_NONE)), {21.0 / 22, 0.5, 1.0 / 3}));
    }
}

TEST_CASE("the mean over samples, over pairs, and over the data set are three numbers")
{
    const auto samples = convention(IQA_CONVENTION_TORCHMETRICS_DICE, IQA_AVERAGE_MACRO);
    confusion m(by_sample(3, samples));
    m.add(labels{0, 0, 0, 0, 0, 1, 1, 2}, labels{0, 0, 0, 0, 0, 1, 2, 2}, {2, 4});
    CHECK(close(m.score(IQA_SCORE_IOU, samples), 5.0 / 6));
    CHECK(close(m.score(IQA_SCORE_IOU, convention(IQA_CONVENTION_TORCHMETRICS_MEAN_IOU)), 0.75));
    CHECK(close(m.scores(IQA_SCORE_IOU), {1, 0.5, 0.5}));
    CHECK(close(m.score(IQA_SCORE_IOU, IQA_AVERAGE_MACRO), 2.0 / 3));
}

TEST_CASE("what an empty class counts")
{
    // Class 1 is predicted and never true; class 2 occurs nowhere.
    confusion m(counting(3));
    m.add(labels{0, 0, 0, 0}, labels{0, 0, 0, 1});
    const auto of = [&](int empty, int average, int zero = IQA_ZERO_DIVISION_ZERO) {
        return m.scores(IQA_SCORE_DICE, reading(average, [&](auto &r) { r.empty = empty, r.zero_division = zero; }));
    };
    const double dice = 6.0 / 7;
    const struct {
        int empty, zero;
        numbers each;
        double macro;
    } cases[] = {
        {IQA_EMPTY_SKIP, 0, {dice, 0, no_number}, dice / 2},
        {IQA_EMPTY_ZERO, 0, {dice, 0, 0}, dice / 3},
        {IQA_EMPTY_ONE, 0, {dice, 0, 1}, (dice + 1) / 3},
        {IQA_EMPTY_NAN, 0, {dice, 0, no_number}, no_number},
        {IQA_EMPTY_AS_RATIO, IQA_ZERO_DIVISION_ZERO, {dice, 0, 0}, dice / 3},
        {IQA_EMPTY_AS_RATIO, IQA_ZERO_DIVISION_ONE, {dice, 0, 1}, (dice + 1) / 3},
        {IQA_EMPTY_AS_RATIO, IQA_ZERO_DIVISION_NAN, {dice, 0, no_number}, no_number},
        {IQA_EMPTY_AS_RATIO, IQA_ZERO_DIVISION_SKIP, {dice, 0, no_number}, dice / 2},
        {IQA_EMPTY_SKIP_IN_AVERAGES, IQA_ZERO_DIVISION_ONE, {dice, 0, 1}, dice / 2},
        {IQA_EMPTY_ONE_ELSE_ZERO, 0, {dice, 0, 1}, (dice + 1) / 3},
        {IQA_EMPTY_SKIP_UNREFERENCED, 0, {dice, no_number, no_number}, dice},
    };
    for (const auto &each : cases) {
        CAPTURE(each.empty, each.zero);
        CHECK(close(of(each.empty, IQA_AVERAGE_NONE, each.zero), each.each));
        CHECK(close(of(each.empty, IQA_AVERAGE_MACRO, each.zero), {each.macro}));
    }
    // 0 / 0 of a class that is there: its recall, when only the candidate has it.
    for (const auto &[zero, value] : {std::pair(IQA_ZERO_DIVISION_ZERO, 0.0), std::pair(IQA_ZERO_DIVISION_ONE, 1.0)})
        CHECK(m.scores(IQA_SCORE_RECALL, reading(0, [z = zero](auto &r) { r.zero_division = z; }))[1] == value);
}

TEST_CASE("a weighted average without any support is the mean of the classes that have a score")
{
    // scikit-learn 1.9.1: precision_recall_fscore_support and jaccard_score with average="weighted".
    uint8_t mask[4] = {1, 1, 1, 0};
    const auto foreground = [&](int average, int zero, int empty, int classes) {
        return reading(average, [&](auto &r) {
            r.excluded = mask, r.excluded_count = classes, r.zero_division = zero, r.empty = empty;
        });
    };
    // The one class that is averaged has nothing but a false positive: 0 / 1. Its recall is 0 / 0.
    confusion one(counting(4));
    one.add(labels{2, 2, 2}, labels{2, 3, 2});
    for (const int zero : {IQA_ZERO_DIVISION_ZERO, IQA_ZERO_DIVISION_ONE, IQA_ZERO_DIVISION_NAN})
        for (const int empty : {IQA_EMPTY_SKIP, IQA_EMPTY_AS_RATIO}) {
            const auto how = foreground(IQA_AVERAGE_WEIGHTED, zero, empty, 4);
            for (const int score : {IQA_SCORE_PRECISION, IQA_SCORE_F, IQA_SCORE_DICE, IQA_SCORE_IOU})
                CHECK(one.score(score, how) == 0.0);
            CHECK(one.score(IQA_SCORE_FREQUENCY_WEIGHTED_IOU, how) == 0.0);
            CHECK(close(one.score(IQA_SCORE_SPECIFICITY, how), 2.0 / 3));
        }
    CHECK(one.score(IQA_SCORE_RECALL, foreground(IQA_AVERAGE_WEIGHTED, IQA_ZERO_DIVISION_ONE, 0, 4)) == 1.0);

    mask[1] = mask[2] = 0;
    confusion two(counting(3));
    two.add(labels{0, 0, 0, 0}, labels{0, 1, 0, 2});
    CHECK(two.score(IQA_SCORE_F, foreground(IQA_AVERAGE_WEIGHTED, IQA_ZERO_DIVISION_ZERO, 0, 3)) == 0.0);
    CHECK(two.score(IQA_SCORE_IOU, foreground(IQA_AVERAGE_WEIGHTED, IQA_ZERO_DIVISION_ONE, 0, 3)) == 0.0);

    // Several labels, of which the reference has none: the third is in neither, and counts what 0 / 0 is.
    confusion several(multilabel(3));
    several.add(labels(6, 0), labels{1, 0, 0, 0, 1, 0}, {2, 3});
    for (const auto &[zero, value] : {std::pair(IQA_ZERO_DIVISION_ZERO, 0.0), std::pair(IQA_ZERO_DIVISION_ONE, 1.0 / 3),
                                      std::pair(IQA_ZERO_DIVISION_SKIP, 0.0)}) {
        auto how = convention(IQA_CONVENTION_TORCHMETRICS_MULTILABEL, IQA_AVERAGE_WEIGHTED);
        how.zero_division = zero;
        CHECK(close(several.score(IQA_SCORE_PRECISION, how), value));
        CHECK(close(several.score(IQA_SCORE_F, how), value));
        CHECK(close(several.score(IQA_SCORE_IOU, how), value));
    }

    // Some support, but of a class whose score is left out.
    confusion unpredicted(counting(3));
    unpredicted.add(labels{0, 0}, labels{1, 1});
    CHECK(unpredicted.score(IQA_SCORE_PRECISION, reading(IQA_AVERAGE_WEIGHTED, [](auto &r) {
                                r.zero_division = IQA_ZERO_DIVISION_SKIP;
                            })) == 0.0);
}

TEST_CASE("an average over classes of which none occurs, for every way to count empty ones")
{
    uint8_t mask[3] = {1, 0, 0};
    uint8_t all[3] = {1, 1, 1};
    confusion m(counting(3));
    m.add(labels{0, 0}, labels{0, 0});
    for (const auto &[zero, ratio] : {std::pair(IQA_ZERO_DIVISION_ZERO, 0.0), std::pair(IQA_ZERO_DIVISION_ONE, 1.0)}) {
        const struct {
            int empty;
            double of_absent, of_none;
        } cases[] = {{IQA_EMPTY_SKIP, no_number, no_number},
                     {IQA_EMPTY_ZERO, 0, ratio},
                     {IQA_EMPTY_ONE, 1, ratio},
                     {IQA_EMPTY_NAN, no_number, ratio},
                     {IQA_EMPTY_AS_RATIO, ratio, ratio},
                     {IQA_EMPTY_SKIP_IN_AVERAGES, ratio, ratio},
                     {IQA_EMPTY_ONE_ELSE_ZERO, 1, ratio},
                     {IQA_EMPTY_SKIP_UNREFERENCED, no_number, no_number},
                     {IQA_EMPTY_SKIP_IGNORED_IN_IOU, ratio, ratio}};
        for (const auto &each : cases) {
            CAPTURE(each.empty, zero);
            const auto over = [&, z = zero](uint8_t *excluded, int average) {
                return reading(average, [&](auto &r) {
                    r.excluded = excluded, r.excluded_count = 3, r.empty = each.empty, r.zero_division = z;
                });
            };
            for (const int average : {IQA_AVERAGE_MICRO, IQA_AVERAGE_MACRO, IQA_AVERAGE_WEIGHTED})
                CHECK(close(m.score(IQA_SCORE_DICE, over(mask, average)), each.of_absent));
            CHECK(close(m.score(IQA_SCORE_FREQUENCY_WEIGHTED_IOU, over(mask, 0)), each.of_absent));
            CHECK(close(m.score(IQA_SCORE_GENERALIZED_DICE, over(mask, 0)), each.of_absent));
            CHECK(close(m.score(IQA_SCORE_DICE, over(all, IQA_AVERAGE_MACRO)), each.of_none));
            CHECK(close(m.score(IQA_SCORE_BALANCED_ACCURACY, over(all, 0)), each.of_none));
        }
    }
}

TEST_CASE("Dice without the background: samples with nothing are left out, those with false positives alone are not")
{
    // The example of TorchMetrics' test_samples_with_missing_classes, DiceScore(include_background=False).
    labels reference(300, 0);
    labels candidate(300, 0);
    for (int y = 0; y < 10; ++y)
        for (int x = 0; x < 10; ++x) {
            const size_t at = size_t(y * 10 + x);
            reference[at] = y < 4 && x < 4 ? 1 : y >= 4 && x >= 4 ? 2 : 0;
            candidate[at] = y < 2 && x < 2 ? 1 : y >= 8 && x >= 8 ? 2 : 0;
            candidate[100 + at] = y < 2 && x < 2 ? 2 : 0;
        }
    uint8_t mask[3] = {1, 0, 0};
    for (const auto &[average, dice] : {std::pair(IQA_AVERAGE_MICRO, 2.0 / 15), std::pair(IQA_AVERAGE_MACRO, 0.15),
                                        std::pair(IQA_AVERAGE_WEIGHTED, 0.2615384615384615 / 2)}) {
        CAPTURE(average);
        auto how = convention(IQA_CONVENTION_TORCHMETRICS_DICE, average);
        how.excluded = mask;
        how.excluded_count = 3;
        auto options = by_sample(3, how);
        options.score = IQA_SCORE_DICE;
        numbers values(3);
        const tensor per_image(values.data(), IQA_FLOAT64, {3});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = per_image;
        confusion m(options);
        m.add(reference, candidate, {3, 10, 10}, {}, &extras);
        REQUIRE(m.text() == "");
        CHECK(m.score(IQA_SCORE_DICE, how) == Approx(dice).epsilon(1e-14));
        CHECK(close(values, {values[0], 0, no_number}));
        CHECK(values[0] == Approx(2 * dice).epsilon(1e-14));
    }
}

TEST_CASE("TorchMetrics leaves an ignored label inside the classes out of averages of the IoU, and of no other score")
{
    // multiclass_jaccard_index and multiclass_f1_score of TorchMetrics 1.9.0 with ignore_index=0.
    confusion m(ignoring(3, 0));
    m.add(labels{0, 1, 1, 2, 2}, labels{0, 1, 0, 2, 1});
    const auto iou = [&](int average) {
        return m.score(IQA_SCORE_IOU, convention(IQA_CONVENTION_TORCHMETRICS, average));
    };
    CHECK(close(iou(IQA_AVERAGE_MICRO), 0.4));
    CHECK(close(iou(IQA_AVERAGE_MACRO), 5.0 / 12));
    CHECK(close(iou(IQA_AVERAGE_WEIGHTED), 5.0 / 12));
    const auto none = convention(IQA_CONVENTION_TORCHMETRICS, IQA_AVERAGE_NONE);
    CHECK(close(m.scores(IQA_SCORE_IOU, none), {0, 1.0 / 3, 0.5}));
    CHECK(close(m.score(IQA_SCORE_F, convention(IQA_CONVENTION_TORCHMETRICS, IQA_AVERAGE_MACRO)), 7.0 / 18));
    const auto plain = convention(IQA_CONVENTION_SCIKIT_LEARN, IQA_AVERAGE_MACRO);
    CHECK(close(m.score(IQA_SCORE_IOU, plain), 5.0 / 18));

    // A label outside the classes, and one that is not ignored.
    for (const auto &options : {ignoring(3, 9), counting(3)}) {
        confusion outside(options);
        outside.add(labels{1, 1, 2, 2}, labels{1, 0, 2, 1});
        CHECK(
            close(outside.score(IQA_SCORE_IOU, convention(IQA_CONVENTION_TORCHMETRICS, IQA_AVERAGE_MACRO)), 5.0 / 18));
    }

    // The same over pairs of samples and classes.
    auto how = convention(IQA_CONVENTION_TORCHMETRICS, IQA_AVERAGE_PAIRS);
    auto options = by_sample(3, how);
    options.ignore = 1;
    confusion pairs(options);
    pairs.add(labels{0, 1, 1, 2, 2}, labels{0, 1, 0, 2, 1}, {1, 5});
    CHECK(close(pairs.score(IQA_SCORE_IOU, how), 5.0 / 12));
}

TEST_CASE("F with beta 0 is precision")
{
    confusion m(counting(3));
    m.add(labels{0, 1, 2, 0, 1, 2}, labels{0, 2, 1, 0, 0, 1});
    const auto with = [](int average, double beta) {
        return reading(average, [&](auto &r) { r.beta = beta; });
    };
    CHECK(m.scores(IQA_SCORE_F, with(IQA_AVERAGE_NONE, 0)) == m.scores(IQA_SCORE_PRECISION));
    CHECK(m.score(IQA_SCORE_F, with(IQA_AVERAGE_MACRO, 0)) == m.score(IQA_SCORE_PRECISION, IQA_AVERAGE_MACRO));
    for (const double bad : {-1e-300, -1.0, no_number, HUGE_VAL}) {
        m.score(IQA_SCORE_F, with(IQA_AVERAGE_MACRO, bad));
        CHECK(m.status == IQA_ERROR_INVALID_ARGUMENT);
    }
    CHECK(m.text() == "beta is inf; expected a finite number from 0 on");
}

TEST_CASE("labels outside all classes are one more class to correlation and kappa, in the reference and the candidate")
{
    // scikit-learn 1.9.1 with the labels 9 and 7 as a third class of their own, which is never right.
    auto options = counting(2, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_WRONG; });
    confusion m(options);
    m.add(labels{0, 0, 0, 1, 1, 9, 9, 0}, labels{0, 1, 0, 1, 7, 0, 1, 0});
    // c = 4, s = 8; rows 4 2 2, columns 4 3 1: (4 8 - 24) / sqrt((64 - 26) (64 - 24)), 1 - 4 8 / (64 - 24).
    CHECK(close(m.score(IQA_SCORE_MCC), 8 / std::sqrt(38.0 * 40)));
    CHECK(close(m.score(IQA_SCORE_KAPPA), 0.2));
}

TEST_CASE("samples in which everything is ignored have no score")
{
    const auto how = reading(IQA_AVERAGE_MACRO, [](auto &r) { r.over = IQA_OVER_SAMPLES; });
    auto options = by_sample(2, how);
    options.ignore = 1;
    options.ignore_label = 9;
    options.score = IQA_SCORE_IOU;
    numbers values(2);
    const tensor per_image(values.data(), IQA_FLOAT64, {2});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = per_image;
    confusion m(options);
    m.add(labels{9, 9, 0, 1}, labels{0, 1, 0, 1}, {2, 2}, {}, &extras);
    REQUIRE(m.status == IQA_OK);
    CHECK(close(values, {no_number, 1}));
    CHECK(m.score(IQA_SCORE_IOU, how) == 1.0);
}

TEST_CASE("correlation and kappa where they are not defined, and with large counts")
{
    for (const auto &[zero, value] :
         {std::pair(IQA_ZERO_DIVISION_ZERO, 0.0), std::pair(IQA_ZERO_DIVISION_NAN, no_number)}) {
        const auto how = reading(0, [z = zero](auto &r) { r.zero_division = z; });
        confusion constant(counting(2));
        constant.add(labels{1, 1, 1}, labels{1, 1, 1});
        for (const int score : {IQA_SCORE_MCC, IQA_SCORE_KAPPA, IQA_SCORE_KAPPA_LINEAR, IQA_SCORE_KAPPA_QUADRATIC})
            CHECK(close(constant.score(score, how), value));
        confusion half(counting(2));
        half.add(labels{1, 0, 1}, labels{1, 1, 1});
        CHECK(close(half.score(IQA_SCORE_MCC, how), value));
    }

    confusion large(counting(2));
    large.add(labels{0}, labels{0});
    size_t count = 0;
    iqa_metric_lanes(large.metric().get(), nullptr, 0, &count);
    std::vector<int64_t> lanes(count);
    // 4 header lanes, then 3 x 3 cells of which the last row and column are for invalid labels.
    lanes = {0, 10'000'000'000, 0, 0, 4'000'000'000 - 1, 1'000'000'000, 0, 1'000'000'000, 4'000'000'000, 0, 0, 0, 0};
    REQUIRE(iqa_metric_add_lanes(large.metric().get(), lanes.data(), lanes.size()) == IQA_OK);
    CHECK(large.matrix() == numbers{4e9, 1e9, 1e9, 4e9});
    CHECK(large.score(IQA_SCORE_MCC) == 0.6);
    CHECK(large.score(IQA_SCORE_KAPPA) == 0.6);
}

TEST_CASE("normalised matrices")
{
    confusion m(counting(3));
    m.add(labels{0, 0, 0, 2}, labels{0, 0, 2, 2});
    CHECK(close(m.field(IQA_FIELD_CONFUSION_MATRIX_BY_ROW), {2.0 / 3, 0, 1.0 / 3, 0, 0, 0, 0, 0, 1}));
    CHECK(close(m.field(IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN), {1, 0, 0.5, 0, 0, 0, 0, 0, 0.5}));
    CHECK(close(m.field(IQA_FIELD_CONFUSION_MATRIX_BY_ALL), {0.5, 0, 0.25, 0, 0, 0, 0, 0, 0.25}));
}

TEST_CASE("counts per class give what the matrix gives")
{
    random_numbers random(3);
    labels reference, candidate;
    for (int i = 0; i < 500; ++i) {
        reference.push_back(int(random.below(7)));
        candidate.push_back(int(random.below(3) == 0 ? random.below(7) : reference.back()));
    }
    confusion matrix(counting(7));
    confusion per_class(counting(7, [](auto &o) { o.counts = IQA_COUNTS_PER_CLASS; }));
    matrix.add(reference, candidate);
    per_class.add(reference, candidate);
    for (int score = IQA_SCORE_ACCURACY; score <= IQA_SCORE_KAPPA; ++score)
        for (const int average : {IQA_AVERAGE_MICRO, IQA_AVERAGE_MACRO, IQA_AVERAGE_WEIGHTED})
            CHECK(matrix.score(score, average) == per_class.score(score, average));
    for (int field = IQA_FIELD_CONFUSION_TRUE_POSITIVES; field <= IQA_FIELD_CONFUSION_PRESENCE; ++field)
        CHECK(matrix.field(field) == per_class.field(field));
}

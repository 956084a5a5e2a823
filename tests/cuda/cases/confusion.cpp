// SPDX-License-Identifier: MIT
// Confusion counts over layouts, kinds and types of labels, rules, weights, samples, strides, and invalid labels.
#include <algorithm>

#include "cuda/cases/cases.hpp"
#include "support/confusion.hpp"

namespace test {

namespace {

using shape_of = std::vector<int64_t>;

device_case make_case(const std::string &name, const iqa_confusion_options &options, std::vector<case_update> updates,
                      int average = IQA_AVERAGE_MACRO, int excluded = -1, int empty = IQA_EMPTY_SKIP)
{
    const auto make = [=](const context_pointer &context) {
        std::vector<uint8_t> mask(size_t(options.classes));
        iqa_confusion_reading how = IQA_CONFUSION_READING_INIT;
        how.average = average;
        how.over = IQA_OVER_SAMPLES;
        how.empty = empty;
        if (excluded >= 0) {
            mask[size_t(excluded)] = 1;
            how.excluded = mask.data();
            how.excluded_count = options.classes;
        }
        iqa_confusion_options with_reading = options;
        with_reading.reading = &how;
        iqa_metric *metric = nullptr;
        iqa_confusion_create(context.get(), &with_reading, &metric);
        return metric_pointer(metric);
    };
    return {name, make, std::move(updates)};
}

// Realistic maps (runs of one class, some noise, some ignored labels), and pure noise.
enum class texture { runs, noise };

template <class Label>
case_tensor map_of(const shape_of &shape, int64_t classes, texture look, uint64_t seed, int64_t ignored = -1)
{
    auto random = std::make_shared<random_numbers>(seed);
    return dense<Label>(shape, [=](int64_t i) {
        const int64_t noise = random->below(classes);
        const bool other = look == texture::noise || random->below(8) == 0;
        if (ignored >= 0 && random->below(10) == 0)
            return double(ignored);
        return double(other ? noise : i / 37 % classes);
    });
}

template <class Label>
case_update maps(const shape_of &shape, int64_t classes, texture look = texture::runs, int64_t ignored = -1)
{
    case_update update;
    update.reference = map_of<Label>(shape, classes, look, 3, ignored);
    update.candidate = map_of<Label>(shape, classes, look, 4);
    return update;
}

template <class Label>
void add_type(std::vector<device_case> &cases)
{
    const std::string type = std::to_string(dtype_of<Label>::value);
    const auto ignoring = counting(19, [](auto &o) { o.ignore = 1, o.ignore_label = 120; });
    cases.push_back(make_case("labels of type " + type, ignoring, {maps<Label>({2, 97, 131}, 19, texture::runs, 120)}));
    cases.push_back(make_case("noise of type " + type, counting(19), {maps<Label>({97, 131}, 19, texture::noise)}));
    // Neither side begins at a vector: first with equal alignment, then with different alignment.
    case_update late = maps<Label>({20000}, 19);
    for (case_tensor *side : {&late.reference, &late.candidate}) {
        side->shape = {19990};
        side->byte_offset = 5 * sizeof(Label);
    }
    cases.push_back(make_case("alike unaligned labels of type " + type, counting(19), {late}));
    late.candidate.byte_offset = 3 * sizeof(Label);
    cases.push_back(make_case("differently unaligned labels of type " + type, counting(19), {late}));
}

void add_types(std::vector<device_case> &cases, bool few)
{
    add_type<uint8_t>(cases);
    if (few)
        return;
    add_type<int8_t>(cases);
    add_type<uint16_t>(cases);
    add_type<int16_t>(cases);
    add_type<uint32_t>(cases);
    add_type<int32_t>(cases);
    add_type<uint64_t>(cases);
    add_type<int64_t>(cases);
    case_update two = maps<uint32_t>({90, 110}, 19, texture::runs, 120);
    two.candidate = map_of<int32_t>({90, 110}, 19, texture::runs, 5);
    cases.push_back(
        make_case("uint32 against int32", counting(19, [](auto &o) { o.ignore = 1, o.ignore_label = 120; }), {two}));
    case_update wide = maps<uint64_t>({9000}, 19);
    std::memset(wide.reference.bytes.data() + 800, 0xff, 8);
    cases.push_back(make_case("a label of 64 ones", counting(19), {wide}));
    case_update mixed = maps<uint8_t>({90, 110}, 19);
    mixed.candidate = map_of<int64_t>({90, 110}, 19, texture::runs, 5);
    cases.push_back(make_case("uint8 against int64", counting(19), {mixed}));
    case_update booleans = maps<uint8_t>({9000}, 2);
    booleans.reference.dtype = booleans.candidate.dtype = IQA_BOOL;
    cases.push_back(make_case("bool", counting(2), {booleans}));
    cases.push_back(make_case("an ignored label that the type does not have",
                              counting(19, [](auto &o) { o.ignore = 1, o.ignore_label = (int64_t(1) << 32) + 3; }),
                              {maps<int32_t>({9000}, 19)}));
    // Read as an unsigned byte, a negative label would be a class.
    case_update negative = maps<int8_t>({9000}, 100);
    negative.reference.bytes[77] = std::byte{0x9c};
    cases.push_back(make_case("a negative byte",
                              counting(200, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_WRONG; }), {negative}));
}

// From many copies of a table to tables that do not fit, and from few elements to many.
void add_classes(std::vector<device_case> &cases, bool few)
{
    for (const int classes : {2, 21, 60, 110, 150, 400, 3000})
        for (const int counts : {IQA_COUNTS_MATRIX, IQA_COUNTS_PER_CLASS}) {
            if (few && (classes == 21 || classes == 110 || classes > 400))
                continue;
            if (classes > 400 && counts == IQA_COUNTS_MATRIX)
                continue;
            const auto options = counting(classes, [&](auto &o) {
                o.counts = counts;
                o.ignore = 1;
                o.ignore_label = classes + 7;
                o.out_of_range = IQA_OUT_OF_RANGE_WRONG;
            });
            std::vector<case_update> updates;
            for (const int64_t size : {int64_t(40), int64_t(few ? 12000 : 50000)}) {
                updates.push_back(maps<int16_t>({size}, classes, texture::runs, classes + 7));
                updates.push_back(maps<int16_t>({size}, classes + 1, texture::noise, classes + 7));
            }
            cases.push_back(make_case(std::to_string(classes) + " classes, counts " + std::to_string(counts), options,
                                      std::move(updates)));
        }
    if (!few)
        cases.push_back(make_case("65536 classes", counting(65536, [](auto &o) { o.counts = IQA_COUNTS_PER_CLASS; }),
                                  {maps<int32_t>({50000}, 65536)}));
}

// Labels outside the classes, under every rule.
void add_invalid(std::vector<device_case> &cases)
{
    for (const int rule : {IQA_OUT_OF_RANGE_ERROR, IQA_OUT_OF_RANGE_DROP, IQA_OUT_OF_RANGE_WRONG})
        for (const int classes : {5, 500}) {
            case_update update = maps<int32_t>({2, 60, 71}, classes);
            const int32_t outside[] = {-1, classes, 1 << 30};
            for (size_t i = 0; i < 3; ++i) {
                std::memcpy(update.reference.bytes.data() + 4 * (3000 + 1501 * i), outside + i, 4);
                std::memcpy(update.candidate.bytes.data() + 4 * (3000 + 1207 * i), outside + i, 4);
            }
            const auto options = counting(classes, [&](auto &o) { o.out_of_range = rule; });
            cases.push_back(make_case("invalid labels, rule " + std::to_string(rule) + ", " + std::to_string(classes),
                                      options, {maps<int32_t>({2, 60, 71}, classes), update}));
        }
}

template <class Score>
void add_scores_of(std::vector<device_case> &cases, bool few)
{
    const std::string type = std::to_string(dtype_of<Score>::value);
    const auto scores = [](int64_t) {
        auto random = std::make_shared<random_numbers>(9);
        return [=](int64_t) {
            return double(random->below(7));
        };
    };
    for (const int axis : {1, -1})
        for (const int top_k : {1, 2}) {
            if (few && (axis == 1) != (top_k == 1))
                continue;
            case_update update;
            update.reference = map_of<uint8_t>({3, 33, 40}, 6, texture::runs, 3);
            update.candidate = dense<Score>(axis == 1 ? shape_of{3, 6, 33, 40} : shape_of{3, 33, 40, 6}, scores(0));
            cases.push_back(make_case("argmax of type " + type + ", axis " + std::to_string(axis) + ", top " +
                                          std::to_string(top_k),
                                      counting(6,
                                               [&](auto &o) {
                                                   o.candidate = IQA_LABELS_ARGMAX;
                                                   o.class_axis = axis;
                                                   o.top_k = top_k;
                                               }),
                                      {update}));
        }
    case_update above;
    above.reference = map_of<int64_t>({50, 60}, 2, texture::runs, 3);
    above.candidate = dense<Score>({50, 60}, scores(0));
    cases.push_back(make_case("threshold of type " + type,
                              counting(2,
                                       [](auto &o) {
                                           o.candidate = IQA_LABELS_THRESHOLD;
                                           o.threshold = 3;
                                       }),
                              {above}));
}

void add_scores(std::vector<device_case> &cases, bool few)
{
    add_scores_of<float>(cases, few);
    if (!few) {
        add_scores_of<double>(cases, few);
        add_scores_of<iqa::float16>(cases, few);
        add_scores_of<iqa::bfloat16>(cases, few);
        add_scores_of<uint8_t>(cases, few);
        add_scores_of<uint32_t>(cases, few);
        add_scores_of<int64_t>(cases, few);
    }
    // NaN, and vectors other than a single 1 among zeros.
    for (const int rule : {IQA_OUT_OF_RANGE_ERROR, IQA_OUT_OF_RANGE_DROP}) {
        case_update update;
        update.reference = dense<int32_t>({700, 4}, [](int64_t i) {
            return i / 4 == 651 ? 0.0 : i / 4 == 333 ? 1.0 : double(i % 4 == i / 4 % 4);
        });
        update.candidate = dense<float>({700, 4}, [](int64_t i) { return i == 2202 ? no_number : double(i * 7 % 11); });
        cases.push_back(make_case("one-hot against scores, rule " + std::to_string(rule),
                                  counting(4,
                                           [&](auto &o) {
                                               o.reference = IQA_LABELS_ONE_HOT;
                                               o.candidate = IQA_LABELS_ARGMAX;
                                               o.out_of_range = rule;
                                               o.ignore = 1;
                                               o.ignore_label = -2;
                                           }),
                                  {update}));
    }
}

void add_strides(std::vector<device_case> &cases)
{
    case_update transposed = maps<int32_t>({40, 60, 3}, 7);
    transposed.candidate.shape = {40, 60, 3};
    transposed.candidate.strides = {1, 40, 2400};
    cases.push_back(make_case("transposed", counting(7), {transposed}));
    case_update reversed = maps<uint8_t>({100, 64}, 7);
    reversed.reference.shape = reversed.candidate.shape = {50, 32};
    reversed.reference.strides = {-128, 2};
    reversed.reference.byte_offset = 98 * 64;
    reversed.candidate.strides = {64, 0};
    cases.push_back(make_case("reversed, every other one, broadcast", counting(7), {reversed}));
    // The first invalid label in the caller's order is not the first in memory.
    case_update faulty = maps<int32_t>({50, 40}, 7);
    faulty.reference.shape = faulty.candidate.shape = {40, 50};
    faulty.reference.strides = faulty.candidate.strides = {1, 40};
    const int32_t outside = 9;
    for (const size_t at : {size_t(1930), size_t(95)})
        std::memcpy(faulty.candidate.bytes.data() + 4 * at, &outside, 4);
    cases.push_back(make_case("invalid labels, transposed", counting(7), {faulty}));
    case_update scalar = maps<int64_t>({1}, 7);
    scalar.reference.shape = scalar.candidate.shape = {};
    cases.push_back(make_case("scalars", counting(7), {scalar}));
}

void add_multilabel(std::vector<device_case> &cases)
{
    for (const int axis : {1, -1})
        for (const bool weighted : {false, true}) {
            const shape_of shape = axis == 1 ? shape_of{4, 5, 23, 31} : shape_of{4, 23, 31, 5};
            case_update update;
            auto random = std::make_shared<random_numbers>(21);
            update.reference =
                dense<int8_t>(shape, [=](int64_t) { return random->below(30) == 0 ? -1.0 : double(random->below(2)); });
            update.candidate = dense<float>(shape, [=](int64_t) { return double(random->below(9)) - 4; });
            if (weighted)
                update.weights = dense<float>(shape, [=](int64_t) { return random->uniform(); });
            update.counts = output({4, 5, 4}, weighted ? IQA_FLOAT64 : IQA_INT64);
            update.per_channel = output({4, 5});
            cases.push_back(make_case("multilabel, axis " + std::to_string(axis) + (weighted ? ", weighted" : ""),
                                      counting(5,
                                               [&](auto &o) {
                                                   o.task = IQA_TASK_MULTILABEL;
                                                   o.class_axis = axis;
                                                   o.candidate = IQA_LABELS_THRESHOLD;
                                                   o.threshold = 0;
                                                   o.ignore = 1;
                                                   o.ignore_label = -1;
                                                   o.batched = 1;
                                                   o.weighted = weighted;
                                                   o.score = IQA_SCORE_DICE;
                                               }),
                                      {update}));
        }
}

void add_weights(std::vector<device_case> &cases)
{
    const auto weighted = [](int counts) {
        return counting(9, [&](auto &o) { o.weighted = 1, o.counts = counts, o.ignore = 1, o.ignore_label = 99; });
    };
    for (const int counts : {IQA_COUNTS_MATRIX, IQA_COUNTS_PER_CLASS})
        for (const bool bad : {false, true}) {
            case_update update = maps<uint8_t>({41, 57}, 9, texture::runs, 99);
            random_numbers random(31);
            update.weights = dense<double>({41, 57}, [&](int64_t i) {
                constexpr double special[] = {0.0, 0x1p-76, 0x1.fffffffffffffp63, 0x1.8p-75, 1.0 / 3};
                return bad && i > 2000 ? -1.0 : i % 50 < 5 ? special[i % 50] : random.uniform() * 1e3;
            });
            cases.push_back(make_case("weights, counts " + std::to_string(counts) + (bad ? ", bad ones" : ""),
                                      weighted(counts), {update, update}));
        }
}

// Samples apart, with all their outputs, and with sums of their scores.
void add_samples(std::vector<device_case> &cases, bool few)
{
    for (const int classes : {2, 6, 300})
        for (const int score : {IQA_SCORE_ACCURACY, IQA_SCORE_IOU, IQA_SCORE_GENERALIZED_DICE}) {
            if (few && (classes == 300) != (score == IQA_SCORE_IOU))
                continue;
            const int64_t samples = 5;
            case_update update = maps<uint16_t>({samples, 33, 37}, classes, texture::runs, 999);
            update.per_image = output({samples});
            if (score != IQA_SCORE_GENERALIZED_DICE)
                update.per_channel = output({samples, classes});
            update.counts = output({samples, classes, 4}, IQA_INT64);
            const auto options = counting(classes, [&](auto &o) {
                o.batched = 1;
                o.keep_samples = 1;
                o.score = score;
                o.ignore = 1;
                o.ignore_label = 999;
            });
            cases.push_back(
                make_case("samples, " + std::to_string(classes) + " classes, score " + std::to_string(score), options,
                          {update, update},
                          classes == 2 && score == IQA_SCORE_ACCURACY ? IQA_AVERAGE_BINARY : IQA_AVERAGE_WEIGHTED,
                          classes == 6 ? 0 : -1));
        }
    // Without the excluded class, some samples are empty in the reference, in the candidate, or in both.
    for (int empty = IQA_EMPTY_SKIP; empty <= IQA_EMPTY_SKIP_IGNORED_IN_IOU; ++empty) {
        case_update update = maps<int32_t>({8, 11, 13}, 4);
        for (size_t sample = 0; sample < 8; ++sample)
            for (const auto &[side, cleared] :
                 {std::pair(&update.reference, sample % 2), {&update.candidate, sample / 4}})
                if (cleared != 0)
                    std::memset(side->bytes.data() + sample * 572, 0, 572);
        update.per_image = output({8});
        const auto options = counting(4, [&](auto &o) {
            o.batched = 1;
            o.keep_samples = 1;
            o.score = IQA_SCORE_IOU;
            o.ignore = 1;
            o.ignore_label = 2;
        });
        cases.push_back(make_case("samples without support, empty ones " + std::to_string(empty), options, {update},
                                  empty % 2 == 0 ? IQA_AVERAGE_WEIGHTED : IQA_AVERAGE_MICRO, 0, empty));
    }
    case_update last = maps<uint8_t>({20, 30, 4}, 3); // the axis of samples is the innermost in memory
    for (case_tensor *side : {&last.reference, &last.candidate}) {
        side->shape = {4, 20, 30};
        side->strides = {1, 120, 4};
    }
    last.per_image = output({4});
    cases.push_back(make_case("samples side by side",
                              counting(3, [](auto &o) { o.batched = 1, o.keep_samples = 1, o.score = IQA_SCORE_DICE; }),
                              {last}));
    case_update empty = maps<uint8_t>({1, 6}, 3);
    empty.reference.shape = empty.candidate.shape = {0, 6};
    cases.push_back(make_case("no samples", counting(3, [](auto &o) { o.batched = 1, o.keep_samples = 1; }), {empty}));
}

} // namespace

std::vector<device_case> confusion_cases(bool few)
{
    std::vector<device_case> cases;
    add_types(cases, few);
    add_classes(cases, few);
    add_invalid(cases);
    add_scores(cases, few);
    add_strides(cases);
    add_multilabel(cases);
    add_weights(cases);
    add_samples(cases, few);
    return cases;
}

} // namespace test

// SPDX-License-Identifier: MIT
// Means of the scores of single samples, which updates add up.
#include <array>
#include <cmath>

#include "metrics/confusion/metric.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

// Samples are summed by the options' reading; another reading would need the samples again.
void confusion_metric::check_kept(int32_t score, const iqa_confusion_reading &reading) const
{
    if (plan_.entries == 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric keeps no scores of samples: create it with `keep_samples`");
    if (!is_of_classes(score))
        fail(IQA_ERROR_INVALID_ARGUMENT, "score is ", score,
             ", which samples do not have; expected IQA_SCORE_ACCURACY "
             "to IQA_SCORE_GENERALIZED_DICE");
    const struct {
        const char *name;
        double stated, summed;
    } policies[] = {{"empty", double(reading.empty), double(reading_.empty)},
                    {"zero_division", double(reading.zero_division), double(reading_.zero_division)},
                    {"generalized_weights", double(reading.generalized_weights), double(reading_.generalized_weights)},
                    {"beta", reading.beta, reading_.beta}};
    for (const auto &policy : policies)
        if (policy.stated != policy.summed)
            fail(IQA_ERROR_INVALID_ARGUMENT, policy.name, " is ", policy.stated,
                 ", but the samples were summed with the options' ", policy.name, " ", policy.summed);
    for (size_t k = 0; k < classes(); ++k)
        if ((reading.excluded != nullptr && reading.excluded[k] != 0) !=
            (reading_.excluded != nullptr && reading_.excluded[k] != 0))
            fail(IQA_ERROR_INVALID_ARGUMENT, "excluded differs at class ", k,
                 " from the options' reading, by which the samples were summed");
}

int64_t confusion_metric::entry_of(int32_t score, int32_t average, int64_t index) const
{
    const int64_t of_score = options_.classes + sample_averages;
    if (!has_average(score))
        return scores_with_average * of_score + score - scores_with_average;
    if (average != IQA_AVERAGE_NONE)
        for (index = options_.classes; sample_average(index - options_.classes) != average;)
            ++index;
    return score * of_score + index;
}

scored confusion_metric::sample_mean(int32_t score, int32_t average, int64_t index) const
{
    const int64_t entry = entry_of(score, average, index);
    const int64_t count = lanes_[plan_.counted() + entry];
    if (count == 0 || lanes_[plan_.nan_counted() + entry] != 0)
        return {std::nan(""), count == 0};
    const double sum = to_double(exact_value(unit_format, lanes_ + plan_.sums() + entry * unit_format.digits));
    return {sum / double(count), false};
}

scored confusion_metric::mean_of_pairs(int32_t score, const iqa_confusion_reading &reading) const
{
    int64_t count = 0;
    int64_t nans = 0;
    std::array<int64_t, unit_format.digits> sum{};
    const score_reader reader = reader_of(nullptr, reading);
    for (int64_t k = 0; k < options_.classes; ++k) {
        if (!is_included(reader, score, k))
            continue;
        const int64_t entry = entry_of(score, IQA_AVERAGE_NONE, k);
        count += lanes_[plan_.counted() + entry];
        nans += lanes_[plan_.nan_counted() + entry];
        for (size_t i = 0; i < sum.size(); ++i)
            sum[i] += lanes_[plan_.sums() + entry * unit_format.digits + int64_t(i)];
    }
    if (count == 0 || nans != 0)
        return {std::nan(""), count == 0};
    exact_carry(unit_format, sum.data());
    return {to_double(exact_value(unit_format, sum.data())) / double(count), false};
}

scored confusion_metric::of_samples(int32_t score, const iqa_confusion_reading &reading, int64_t index) const
{
    if (has_average(score) && reading.average == IQA_AVERAGE_PAIRS)
        return mean_of_pairs(score, reading);
    if (has_average(score) && reading.average == IQA_AVERAGE_BINARY) {
        check_binary_average(reader_of(nullptr, reading));
        // Both classes have the same share of agreement, which is the micro average.
        return score == IQA_SCORE_ACCURACY ? sample_mean(score, IQA_AVERAGE_MICRO, 0)
                                           : sample_mean(score, IQA_AVERAGE_NONE, 1);
    }
    return sample_mean(score, reading.average, index);
}

} // namespace iqa

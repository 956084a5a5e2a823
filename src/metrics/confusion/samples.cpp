// SPDX-License-Identifier: MIT
// The scores of single samples: made while an update counts, summed, and read as means.
#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/confusion/metric.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

int64_t *confusion_metric::take_sample_memory()
{
    const int64_t sums = plan_.entries * (2 + unit_format.digits);
    const int64_t lanes = lanes_of(plan_.of_sample());
    const size_t size = size_t(sums + lanes) * sizeof(int64_t) + classes() * sizeof(class_counts);
    std::byte *block = sample_memory_.take<std::byte>(size, "the counts of a sample");
    sample_counts_ = reinterpret_cast<class_counts *>(block);
    sample_sums_ = reinterpret_cast<int64_t *>(block + classes() * sizeof(class_counts));
    sample_lanes_ = sample_sums_ + sums;
    std::fill_n(sample_sums_, sums, 0);
    return sample_lanes_;
}

void confusion_metric::finish_sample(int64_t sample)
{
    const std::span<class_counts> counts(sample_counts_, classes());
    read_class_counts(plan_.of_sample(), sample_lanes_, counts, nullptr);
    const score_reader reader = reader_of(counts.data(), reading_);
    if (outputs_.value.data != nullptr)
        outputs_.value.store(sample, 0, 0, score_of(reader, options_.score).value);
    for (size_t k = 0; k < counts.size(); ++k) {
        if (outputs_.of_classes.data != nullptr)
            outputs_.of_classes.store(sample, int64_t(k), 0, score_of_class(reader, options_.score, int64_t(k)).value);
        if (outputs_.counts.data != nullptr)
            store_counts(outputs_.counts, sample, int64_t(k), counts[k]);
    }
    for (int64_t entry = 0; entry < plan_.entries; ++entry)
        add_sample_score(entry, score_of_entry(reader, entry));
}

void confusion_metric::add_sample_score(int64_t entry, scored own)
{
    if (own.skipped)
        return;
    ++sample_sums_[entry];
    if (std::isnan(own.value))
        ++sample_sums_[plan_.entries + entry];
    else
        exact_add(unit_format, sample_sums_ + 2 * plan_.entries + entry * unit_format.digits, units_of_score(own.value),
                  unit_format.lowest);
}

void confusion_metric::commit_samples()
{
    const int64_t counters = 2 * plan_.entries;
    for (int64_t i = 0; i < counters; ++i)
        lanes_[plan_.counted() + i] += sample_sums_[i];
    for (int64_t entry = 0; entry < plan_.entries; ++entry) {
        int64_t *sum = lanes_ + plan_.sums() + entry * unit_format.digits;
        for (int i = 0; i < unit_format.digits; ++i)
            sum[i] += sample_sums_[counters + entry * unit_format.digits + i];
        exact_carry(unit_format, sum);
    }
}

// ---- Means

// Samples are summed as the options' reading says; reading them in another way would need the samples again.
void confusion_metric::check_kept(int32_t which, const iqa_confusion_reading &reading) const
{
    if (plan_.entries == 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric keeps no scores of samples: create it with `keep_samples`");
    if (!is_of_classes(which))
        fail(IQA_ERROR_INVALID_ARGUMENT, "score is ", which,
             ", which samples do not have; expected IQA_SCORE_ACCURACY "
             "to IQA_SCORE_GENERALIZED_DICE");
    const struct {
        const char *name;
        double given, kept;
    } policies[] = {{"empty", double(reading.empty), double(reading_.empty)},
                    {"zero_division", double(reading.zero_division), double(reading_.zero_division)},
                    {"generalized_weights", double(reading.generalized_weights), double(reading_.generalized_weights)},
                    {"beta", reading.beta, reading_.beta}};
    for (const auto &policy : policies)
        if (policy.given != policy.kept)
            fail(IQA_ERROR_INVALID_ARGUMENT, policy.name, " is ", policy.given,
                 ", but the samples were summed with the options' ", policy.name, " ", policy.kept);
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

scored confusion_metric::sample_mean(int32_t which, int32_t average, int64_t index) const
{
    const int64_t entry = entry_of(which, average, index);
    const int64_t count = lanes_[plan_.counted() + entry];
    if (count == 0 || lanes_[plan_.nan_counted() + entry] != 0)
        return {std::nan(""), count == 0};
    const double sum = to_double(exact_value(unit_format, lanes_ + plan_.sums() + entry * unit_format.digits));
    return {sum / double(count), false};
}

scored confusion_metric::mean_of_pairs(int32_t which, const iqa_confusion_reading &reading) const
{
    int64_t count = 0;
    int64_t nans = 0;
    std::array<int64_t, unit_format.digits> sum{};
    const score_reader reader = reader_of(nullptr, reading);
    for (int64_t k = 0; k < options_.classes; ++k) {
        if (!is_included(reader, which, k))
            continue;
        const int64_t entry = entry_of(which, IQA_AVERAGE_NONE, k);
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

scored confusion_metric::of_samples(int32_t which, const iqa_confusion_reading &reading, int64_t index) const
{
    if (has_average(which) && reading.average == IQA_AVERAGE_PAIRS)
        return mean_of_pairs(which, reading);
    if (has_average(which) && reading.average == IQA_AVERAGE_BINARY) {
        check_binary_average(reader_of(nullptr, reading));
        // The share of agreement is the same for both classes: what micro gives.
        return which == IQA_SCORE_ACCURACY ? sample_mean(which, IQA_AVERAGE_MICRO, 0)
                                           : sample_mean(which, IQA_AVERAGE_NONE, 1);
    }
    return sample_mean(which, reading.average, index);
}

} // namespace iqa

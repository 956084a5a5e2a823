// SPDX-License-Identifier: MIT
// KID: means of a polynomial kernel over pairs of rows, from sums that are integers.
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/features/kid_estimate.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr int32_t most_degree = 16;
constexpr int32_t most_subsets = 100'000;
constexpr int64_t most_rows = int64_t(1) << 31;

// Beyond it no power of two could bring kernel values below 1.
constexpr double largest_value = 0x1p1000;

int64_t rows_of_estimate(const iqa_kid_options &options, const table_view &table)
{
    return options.subsets > 0 ? options.subset_size : table.rows;
}

void check(const iqa_kid_options &options)
{
    if (options.degree < 1 || options.degree > most_degree)
        fail(IQA_ERROR_INVALID_ARGUMENT, "degree is ", options.degree, "; expected 1 to ", most_degree);
    if (!(options.gamma > 0.0 || options.gamma == IQA_KID_GAMMA_AUTO) || !is_finite(options.gamma))
        fail(IQA_ERROR_INVALID_ARGUMENT, "gamma is ", options.gamma,
             "; expected a number above 0, or IQA_KID_GAMMA_AUTO for 1 / D");
    if (!(options.coef0 >= 0.0) || !is_finite(options.coef0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "coef0 is ", options.coef0, "; expected 0 or more");
    check_constant("estimator", options.estimator, IQA_KID_BIASED, "IQA_KID_");
    if (options.subsets < 0 || options.subsets > most_subsets)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subsets is ", options.subsets, "; expected 0, for all rows at once, to ",
             most_subsets);
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (options.subsets > 0 && options.subset_size < least)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subset_size is ", options.subset_size, "; expected ", least, " or more");
}

void check_rows(const iqa_kid_options &options, const table_view &table, const char *name)
{
    if (table.rows > most_rows)
        fail(IQA_ERROR_SHAPE, name, " has ", table.rows, " rows; expected at most ", most_rows);
    if (options.subsets > 0 && table.rows < options.subset_size)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows, fewer than subset_size, ",
             options.subset_size, "; lower it, or set subsets to 0 for all rows");
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (table.rows < least)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows; at least ", least,
             least == 1 ? " is" : " are", " needed");
}

// The device of both tables.
const backend &backend_of_tables(const iqa_tensor &reference, const iqa_tensor &candidate)
{
    const backend &device = backend_of(reference, kid_set_names[0]);
    const bool same = &backend_of(candidate, kid_set_names[1]) == &device;
    if (!same || (device.open != nullptr && reference.device_id != candidate.device_id))
        fail(IQA_ERROR_DEVICE, "candidate is on device ", candidate.device_type, ":", candidate.device_id,
             " but reference is on ", reference.device_type, ":", reference.device_id);
    return device;
}

} // namespace

kid_estimate::kid_estimate(context &where, const iqa_kid_options &options, const table_view (&tables)[2])
    : options_(options),
      kernel_{options.gamma == IQA_KID_GAMMA_AUTO ? 1.0 / double(tables[0].columns) : options.gamma, options.coef0,
              options.degree, 1.0, false},
      sets_{{tables[0], nullptr, rows_of_estimate(options, tables[0])},
            {tables[1], nullptr, rows_of_estimate(options, tables[1])}},
      keys_memory_(where),
      values_memory_(where)
{
    if (has_subsets()) {
        const auto first = size_t(tables[0].rows);
        keys_[0] = keys_memory_.take<keyed_row>(first + size_t(tables[1].rows), "the drawing of subsets");
        keys_[1] = keys_[0] + first;
    }
    const auto values = size_t(has_subsets() ? options.subsets : 1);
    values_ = {values_memory_.take<double>(values, "the values of subsets"), values};
}

// All features are looked at, drawn or not: whether a call fails shall not depend on the seed.
bool kid_estimate::choose_unit(const double (&largest)[2])
{
    for (int i = 0; i < 2; ++i)
        bounds_[i] = kernel_value(kernel_, largest[i]);
    if (!(bounds_[0] <= largest_value) || !(bounds_[1] <= largest_value))
        return false;
    const double of_both = std::max(largest[0], largest[1]);
    kernel_.without_constant = kernel_.gamma * of_both < small_addend * kernel_.coef0;
    const double bound = kernel_value(kernel_, of_both);
    if (bound >= 1.0 / largest_value) // else hardly anything but zeros is left
        kernel_.unit = power_of_two(-exponent_of(bound) - 2);
    return true;
}

void kid_estimate::check_bound(int index) const
{
    if (!(bounds_[index] <= largest_value))
        fail(IQA_ERROR_NUMERIC, kid_set_names[index], " has a row whose kernel value with itself is ", bounds_[index],
             "; expected at most ", largest_value);
}

void kid_estimate::draw(crew &team, int64_t subset)
{
    team.each(2, sets_[0].view.rows + sets_[1].view.rows, [&](int64_t side, int32_t) {
        draw_rows(options_.seed, uint64_t(2 * subset + side), sets_[side].view.rows, sets_[side].count, keys_[side]);
        sets_[side].chosen = keys_[side];
    });
}

void kid_estimate::take(int64_t estimate, const pair_sums (&sums)[kinds_of_pairs])
{
    const double_double within =
        add(mean_within(sets_[0].count, sums[within_first]), mean_within(sets_[1].count, sums[within_second]));
    const double_double between = divide(value_of_levels(sums[between_sets].pairs.levels),
                                         multiply({double(sets_[0].count), 0.0}, {double(sets_[1].count), 0.0}));
    values_[size_t(estimate)] = add(within, {-2.0 * between.high, -2.0 * between.low}).high / kernel_.unit;
}

double_double kid_estimate::mean_within(int64_t count, const pair_sums &sums) const
{
    const bool biased = options_.estimator == IQA_KID_BIASED;
    level_sums sum = sums.pairs;
    sum.add(sums.pairs.levels);
    if (biased)
        sum.add(sums.diagonal.levels);
    return divide(value_of_levels(sum.levels),
                  multiply({double(count), 0.0}, {double(biased ? count : count - 1), 0.0}));
}

mean_and_deviation measure_kid(context &where, const iqa_kid_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate)
{
    check(options);
    const backend &device = backend_of_tables(reference, candidate);
    const table_view first = view_table(reference, kid_set_names[0], any_columns);
    const table_view tables[2] = {first, view_table(candidate, kid_set_names[1], first.columns)};
    for (int i = 0; i < 2; ++i)
        check_rows(options, tables[i], kid_set_names[i]);
    kid_estimate estimate(where, options, tables);
    return device.open == nullptr ? kid_on_cpu(where, estimate)
                                  : kid_on_device(where, device, {reference, candidate}, estimate);
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// Inception Score. With p the mean of the rows' probabilities p_i, the mean of KL(p_i || p) is the mean of sum p_i log
// p_i less sum p log p: one logarithm for each row and class mean instead of one for each number. Sums over rows are
// sums of integers.
#include <atomic>

#include "arith/class_scores.h"
#include "core/crew.hpp"
#include "core/options.hpp"
#include "core/samples.hpp"
#include "metrics/features/device_call.hpp"
#include "metrics/features/table_rows.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr int64_t most_rows = int64_t(1) << 31;

constexpr int64_t least_item = 16;

// The score of a split, from the sums of its rows: of each class's probabilities, and of negative entropies.
double score_of(const int128 *sums, int64_t classes, int64_t rows)
{
    const double_double count = {double(rows), 0.0};
    const auto mean_of = [&](int128 sum) {
        const double_double all = to_double_double(sum);
        return divide({all.high * score_unit, all.low * score_unit}, count);
    };
    double_double divergence = mean_of(sums[classes]);
    for (int64_t i = 0; i < classes; ++i)
        if (sums[i] != 0) {
            const double_double mean = mean_of(sums[i]);
            const double_double term = multiply(mean, log_scaled(mean, 0));
            divergence = add(divergence, {-term.high, -term.low});
        }
    return exponential(std::max(divergence.high, 0.0));
}

// Ends the call: says which score, or row, is the first that is at fault. `first`: which row of the caller's table the
// first one here is.
[[noreturn]] void fail_for_scores(const table_view &view, int64_t first)
{
    check_finite(view, "scores", first);
    for (int64_t row = 0; row < view.rows; ++row) {
        double sum = 0.0;
        for (int64_t column = 0; column < view.columns; ++column) {
            const double value = number_at(view, row, column);
            if (!(value >= 0.0 && value <= 1.0 + sum_tolerance))
                fail(IQA_ERROR_NUMERIC, "scores[", first + row, ", ", column, "] is ", value,
                     "; expected a probability, from 0 to 1, or IQA_SCORES_LOGITS");
            sum += value;
        }
        if (!is_sum_of_probabilities(sum))
            fail(IQA_ERROR_NUMERIC, "row ", first + row, " of scores sums to ", sum,
                 "; expected probabilities, which sum to 1, or IQA_SCORES_LOGITS");
    }
    fail(IQA_ERROR_INTERNAL, "scores that are not valid were seen but not found");
}

class score_computation {
public:
    score_computation(context &where, const iqa_inception_score_options &options, const table_view &table);

    void run(crew &team);

    // After run(): what was wrong with the scores, or the result.
    mean_and_deviation result() const;

private:
    // What one worker has summed over its rows of a split, and its room for one row.
    struct share {
        int128 *of_class;
        int128 *negative_entropy;
        double *weights;
        double *exponents;
    };

    share share_of(int64_t worker) const;
    bool score_split(crew &team, int64_t first, int64_t last, double *value);
    bool add_row(int64_t row, const share &to) const;
    bool load_logits(int64_t row, const share &to, double *sum, double *negative_entropy) const;
    bool load_probabilities(int64_t row, const share &to, double *sum, double *negative_entropy) const;

    const iqa_inception_score_options options_;
    row_set rows_;
    const int64_t classes_;
    const int64_t workers_;
    scratch memory_;
    scratch keys_memory_;
    std::span<double> values_;
    int128 *sums_;  // [worker][classes + 1]
    double *rooms_; // [worker][2][classes]
    int64_t *ends_; // [worker]: of the split whose sums those are
    keyed_row *keys_ = nullptr;
    std::atomic<bool> valid_ = true;
};

score_computation::score_computation(context &where, const iqa_inception_score_options &options,
                                     const table_view &table)
    : options_(options),
      rows_{table, nullptr, table.rows},
      classes_(table.columns),
      workers_(where.threads()),
      memory_(where),
      keys_memory_(where)
{
    const size_t sums = size_t(workers_) * size_t(classes_ + 1);
    const size_t rooms = size_t(workers_) * size_t(2 * classes_);
    const auto splits = size_t(options.splits);
    static_assert(sizeof(int128) == 2 * sizeof(double));
    const auto workers = size_t(workers_);
    double *const memory = memory_.take<double>(2 * sums + rooms + workers + splits, "the sums of class probabilities");
    sums_ = reinterpret_cast<int128 *>(memory);
    rooms_ = memory + 2 * sums;
    ends_ = reinterpret_cast<int64_t *>(rooms_ + rooms);
    std::fill_n(ends_, workers_, int64_t(0));
    values_ = {rooms_ + rooms + workers, splits};
    if (options.shuffle != 0)
        keys_ = keys_memory_.take<keyed_row>(size_t(table.rows), "the order of the rows");
}

score_computation::share score_computation::share_of(int64_t worker) const
{
    int128 *const sums = sums_ + worker * (classes_ + 1);
    double *const room = rooms_ + worker * 2 * classes_;
    return {sums, sums + classes_, room, room + classes_};
}

void score_computation::run(crew &team)
{
    if (!team.proceed(0, options_.splits))
        return;
    if (keys_ != nullptr) {
        draw_rows(options_.seed, 0, rows_.count, rows_.count, keys_);
        rows_.chosen = keys_;
    }
    for (int64_t split = 0; split < options_.splits; ++split) {
        const int64_t first = first_row_of_split(split, options_.splits, rows_.count);
        const int64_t last = first_row_of_split(split + 1, options_.splits, rows_.count);
        if (!score_split(team, first, last, &values_[size_t(split)]) || !team.proceed(split + 1, options_.splits))
            return;
    }
}

bool score_computation::score_split(crew &team, int64_t first, int64_t last, double *value)
{
    constexpr int64_t most_items = 1 << 18;
    const int64_t rows_of_item = std::max(least_item, (last - first) / most_items + 1);
    // Workers clear their sums when they take a first row: a split may have fewer rows than there are workers.
    const auto clear_sums = [&](int64_t worker) {
        std::fill_n(share_of(worker).of_class, classes_ + 1, int128(0));
        ends_[worker] = last;
    };
    clear_sums(0);
    team.each((last - first + rows_of_item - 1) / rows_of_item, 32 * rows_of_item * classes_,
              [&](int64_t item, int32_t worker) {
                  if (ends_[worker] != last)
                      clear_sums(worker);
                  const share to = share_of(worker);
                  const int64_t begin = first + item * rows_of_item;
                  for (int64_t i = begin; i < std::min(begin + rows_of_item, last); ++i)
                      if (!add_row(rows_.row(i), to))
                          valid_.store(false, std::memory_order_relaxed);
              });
    if (!valid_.load(std::memory_order_relaxed))
        return false;

    for (int64_t worker = 1; worker < workers_; ++worker)
        for (int64_t i = 0; ends_[worker] == last && i <= classes_; ++i)
            sums_[i] += sums_[worker * (classes_ + 1) + i];
    *value = score_of(sums_, classes_, last - first);
    return true;
}

// False for a row that is not valid.
bool score_computation::add_row(int64_t row, const share &to) const
{
    double sum = 0.0;
    double negative_entropy = 0.0;
    if (options_.scores == IQA_SCORES_LOGITS ? !load_logits(row, to, &sum, &negative_entropy)
                                             : !load_probabilities(row, to, &sum, &negative_entropy))
        return false;
    for (int64_t i = 0; i < classes_; ++i)
        to.of_class[i] += in_score_units(to.weights[i] / sum);
    *to.negative_entropy += in_score_units(negative_entropy);
    return true;
}

bool score_computation::load_logits(int64_t row, const share &to, double *sum, double *negative_entropy) const
{
    double largest = -__builtin_inf();
    bool finite = true;
    visit_row(rows_.view, row, [&](int64_t i, double value) {
        to.exponents[i] = value;
        finite = finite && is_finite(value);
        largest = value > largest ? value : largest;
    });
    if (!finite)
        return false;
    for (int64_t i = 0; i < classes_; ++i) {
        to.exponents[i] = softmax_exponent(to.exponents[i], largest);
        to.weights[i] = quick_exponential(to.exponents[i]);
    }
    double weighted = 0.0;
    for (int64_t i = 0; i < classes_; ++i) {
        *sum += to.weights[i];
        weighted += to.weights[i] * to.exponents[i];
    }
    *negative_entropy = negative_entropy_of_softmax(weighted, *sum);
    return true;
}

bool score_computation::load_probabilities(int64_t row, const share &to, double *sum, double *negative_entropy) const
{
    bool valid = true;
    visit_row(rows_.view, row, [&](int64_t i, double value) {
        to.weights[i] = value;
        valid = valid && value >= 0.0; // NaN is not
        *sum += value;
    });
    if (!valid || !is_sum_of_probabilities(*sum))
        return false;
    for (int64_t i = 0; i < classes_; ++i)
        to.exponents[i] = negative_entropy_term(to.weights[i] / *sum);
    for (int64_t i = 0; i < classes_; ++i)
        *negative_entropy += to.exponents[i];
    return true;
}

mean_and_deviation score_computation::result() const
{
    if (!valid_.load(std::memory_order_relaxed))
        fail_for_scores(rows_.view, 0);
    return mean_and_deviation_of(values_);
}

mean_and_deviation score_on_device(context &where, const backend &device, const iqa_tensor &tensor,
                                   const iqa_inception_score_options &options, const table_view &table)
{
    device_call call(where, device, tensor.device_id);
    call.check_place("scores", tensor);
    scratch values_memory(where);
    scratch keys_memory(where);
    struct scores {
        std::span<double> values;
        int64_t classes, rows;
    } receiver{{}, table.columns, table.rows};
    const auto splits = size_t(options.splits);
    receiver.values = {values_memory.take<double>(splits, "the values of splits"), splits};
    keyed_row *keys = nullptr;
    if (options.shuffle != 0) {
        keys = keys_memory.take<keyed_row>(size_t(table.rows), "the order of the rows");
        draw_rows(options.seed, 0, table.rows, table.rows, keys);
    }
    class_sums_request request{};
    request.rows = {table, keys, table.rows};
    request.logits = options.scores == IQA_SCORES_LOGITS;
    request.splits = options.splits;
    request.receiver = &receiver;
    request.done = [](void *to, int64_t split, const int128 *sums) {
        auto &[values, classes, rows] = *static_cast<scores *>(to);
        const auto count = int64_t(values.size());
        values[size_t(split)] = score_of(
            sums, classes, first_row_of_split(split + 1, count, rows) - first_row_of_split(split, count, rows));
    };
    device.class_sums(where, tensor.device_id, call.memory(), request);
    const int64_t bad = request.nonfinite_row >= 0 ? request.nonfinite_row : request.invalid_row;
    if (bad >= 0)
        fail_for_scores(call.fetch_row(table, bad), bad);
    return mean_and_deviation_of(receiver.values);
}

void check(const iqa_inception_score_options &options, const table_view &table)
{
    check_constant("scores", options.scores, IQA_SCORES_PROBABILITIES, "IQA_SCORES_");
    if (options.splits < 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, "splits is ", options.splits, "; expected 1 or more");
    if (options.shuffle != 0 && options.shuffle != 1)
        fail(IQA_ERROR_INVALID_ARGUMENT, "shuffle is ", options.shuffle, "; expected 0 or 1");
    if (table.rows > most_rows)
        fail(IQA_ERROR_SHAPE, "scores has ", table.rows, " rows; expected at most ", most_rows);
    if (table.rows < options.splits)
        fail(IQA_ERROR_NO_DATA, "scores has ", table.rows, " rows; at least ", options.splits,
             " are needed, one for each split");
}

} // namespace

mean_and_deviation measure_inception_score(context &where, const iqa_inception_score_options &options,
                                           const iqa_tensor &scores)
{
    const backend &device = backend_of(scores, "scores");
    const table_view table = view_table(scores, "scores", any_columns);
    check(options, table);
    if (device.open != nullptr)
        return score_on_device(where, device, scores, options, table);
    score_computation work(where, options, table);
    crew::run(where, workers_for(where, where.threads(), table.rows * table.columns),
              [&](crew &team) { work.run(team); });
    return work.result();
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// The Inception Score's sums over rows, as integers, so no division among workers matters.
#include <algorithm>
#include <atomic>

#include "core/crew.hpp"
#include "cpu/backend.hpp"
#include "cpu/features/kernels.hpp"
#include "cpu/features/table_rows.hpp"
#include "values/inception_score.hpp"

namespace iqa {

namespace {

constexpr int64_t least_item = 16;

// Rows that are summed side by side: the sum of one row is a chain, each step of which waits for the one before.
constexpr int rows_together = 4;

class score_computation {
public:
    score_computation(context &where, memory_source &memory, split_scores_request &request);

    void run(crew &team);

private:
    // One worker's sums over its rows of a split, those of an item's rows in parts, and its memory for some rows.
    struct share {
        int128 *class_sums;
        int128 *negative_entropy;
        int64_t *high, *low;
        double *weights[rows_together];
        double *exponents[rows_together];
    };
    struct row_sums {
        double weights = 0.0;
        double negative_entropy = 0.0;
    };

    share share_of(int64_t worker) const;
    bool score_split(crew &team, int64_t split);
    void find_fault();
    bool add_rows(int64_t begin, int64_t end, const share &to) const;
    bool load(const int64_t *rows, int count, const share &to, row_sums *sums) const;
    bool load_logits(int64_t row, double *exponents, double *weights) const;
    bool load_probabilities(int64_t row, double *terms, double *weights, row_sums &sums) const;
    template <int Count>
    void add_up_logits(const share &to, int first, row_sums *sums) const;

    const fid_kernels &kernels_;
    split_scores_request &request_;
    const row_set &rows_;
    const int64_t classes_;
    const int64_t workers_;
    scratch memory_;
    int128 *sums_;        // [worker][classes + 1]
    double *rows_memory_; // [worker][rows_together][2][classes]
    int64_t *parts_;      // [worker][2][classes]
    int64_t *ends_;       // [worker]: last row of the split of its sums
    std::atomic<bool> valid_ = true;
};

score_computation::score_computation(context &where, memory_source &memory, split_scores_request &request)
    : kernels_(fid_kernels_for(where)),
      request_(request),
      rows_(request.rows),
      classes_(rows_.view.columns),
      workers_(where.threads()),
      memory_(memory)
{
    const size_t sums = size_t(workers_) * size_t(classes_ + 1);
    const size_t parts = size_t(workers_) * size_t(2 * classes_);
    static_assert(sizeof(int128) == 2 * sizeof(double));
    const auto workers = size_t(workers_);
    static_assert(sizeof(int64_t) == sizeof(double));
    double *const numbers =
        memory_.take<double>(2 * sums + (rows_together + 1) * parts + workers, "the sums of class probabilities");
    sums_ = reinterpret_cast<int128 *>(numbers);
    rows_memory_ = numbers + 2 * sums;
    parts_ = reinterpret_cast<int64_t *>(rows_memory_ + rows_together * parts);
    ends_ = parts_ + parts;
    std::fill_n(parts_, parts + workers, int64_t(0));
}

score_computation::share score_computation::share_of(int64_t worker) const
{
    int128 *const sums = sums_ + worker * (classes_ + 1);
    int64_t *const parts = parts_ + worker * 2 * classes_;
    share result = {sums, sums + classes_, parts, parts + classes_, {}, {}};
    for (int i = 0; i < rows_together; ++i) {
        result.weights[i] = rows_memory_ + (worker * rows_together + i) * 2 * classes_;
        result.exponents[i] = result.weights[i] + classes_;
    }
    return result;
}

void score_computation::run(crew &team)
{
    request_.nonfinite_row = request_.invalid_row = -1;
    if (!team.proceed(0, request_.splits))
        return;
    for (int64_t split = 0; split < request_.splits; ++split) {
        if (!score_split(team, split))
            return find_fault();
        if (!team.proceed(split + 1, request_.splits))
            return;
    }
}

// False: a row is at fault.
bool score_computation::score_split(crew &team, int64_t split)
{
    const int64_t first = first_row_of_split(split, request_.splits, rows_.count);
    const int64_t last = first_row_of_split(split + 1, request_.splits, rows_.count);
    constexpr int64_t most_items = 1 << 18;
    static_assert(most_table_rows / most_items + 1 <= most_score_parts);
    const int64_t rows_of_item = std::max(least_item, (last - first) / most_items + 1);
    // A worker clears its sums at its first row of a split, which may have fewer rows than there are workers.
    const auto clear_sums = [&](int64_t worker) {
        std::fill_n(share_of(worker).class_sums, classes_ + 1, int128(0));
        ends_[worker] = last;
    };
    clear_sums(0);
    team.each(divide_up(last - first, rows_of_item), 32 * rows_of_item * classes_, [&](int64_t item, int32_t worker) {
        if (ends_[worker] != last)
            clear_sums(worker);
        const int64_t begin = first + item * rows_of_item;
        if (!add_rows(begin, std::min(begin + rows_of_item, last), share_of(worker)))
            valid_.store(false, std::memory_order_relaxed);
    });
    if (!valid_.load(std::memory_order_relaxed))
        return false;

    for (int64_t worker = 1; worker < workers_; ++worker)
        for (int64_t i = 0; ends_[worker] == last && i <= classes_; ++i)
            sums_[i] += sums_[worker * (classes_ + 1) + i];
    request_.scores[split] = score_of_split(sums_, classes_, last - first);
    return true;
}

void score_computation::find_fault()
{
    request_.nonfinite_row = first_nonfinite_row(rows_.view);
    request_.invalid_row = 0;
    row_sums sums;
    while (load(&request_.invalid_row, 1, share_of(0), &sums))
        ++request_.invalid_row;
}

// False for an invalid row.
bool score_computation::add_rows(int64_t begin, int64_t end, const share &to) const
{
    for (int64_t first = begin; first < end; first += rows_together) {
        const int count = int(std::min<int64_t>(rows_together, end - first));
        int64_t rows[rows_together];
        for (int i = 0; i < count; ++i)
            rows[i] = rows_.row(first + i);
        row_sums sums[rows_together];
        if (!load(rows, count, to, sums))
            return false;
        for (int i = 0; i < count; ++i) {
            kernels_.add_probabilities(to.weights[i], sums[i].weights, classes_, to.high, to.low);
            *to.negative_entropy += in_score_units(sums[i].negative_entropy);
        }
    }
    for (int64_t i = 0; i < classes_; ++i) {
        to.class_sums[i] += (int128(to.high[i]) << score_low_bits) + to.low[i];
        to.high[i] = to.low[i] = 0;
    }
    return true;
}

// The weights of some rows and what they sum to; false for an invalid one.
bool score_computation::load(const int64_t *rows, int count, const share &to, row_sums *sums) const
{
    for (int i = 0; i < count; ++i)
        if (!(request_.logits ? load_logits(rows[i], to.exponents[i], to.weights[i])
                              : load_probabilities(rows[i], to.exponents[i], to.weights[i], sums[i])))
            return false;
    if (!request_.logits)
        return true;
    if (count == rows_together)
        add_up_logits<rows_together>(to, 0, sums);
    else
        for (int i = 0; i < count; ++i)
            add_up_logits<1>(to, i, sums);
    return true;
}

bool score_computation::load_logits(int64_t row, double *exponents, double *weights) const
{
    visit_row(rows_.view, row, [&](int64_t i, double value) { exponents[i] = value; });
    return kernels_.softmax_weights(exponents, classes_, weights);
}

// Of `Count` rows from `first` on.
template <int Count>
void score_computation::add_up_logits(const share &to, int first, row_sums *sums) const
{
    double sum[Count] = {}, weighted[Count] = {};
    for (int64_t i = 0; i < classes_; ++i)
        for (int row = 0; row < Count; ++row) {
            const double weight = to.weights[first + row][i];
            sum[row] += weight;
            weighted[row] += weight * to.exponents[first + row][i];
        }
    for (int row = 0; row < Count; ++row)
        sums[first + row] = {sum[row], negative_entropy_of_softmax(weighted[row], sum[row])};
}

bool score_computation::load_probabilities(int64_t row, double *terms, double *weights, row_sums &sums) const
{
    bool valid = true;
    double sum = 0.0;
    visit_row(rows_.view, row, [&](int64_t i, double value) {
        weights[i] = value;
        valid = valid && value >= 0.0; // NaN is not
        sum += value;
    });
    if (!valid || !is_sum_of_probabilities(sum))
        return false;
    sums = {sum, 0.0};
    kernels_.entropy_terms(weights, sum, classes_, terms);
    for (int64_t i = 0; i < classes_; ++i)
        sums.negative_entropy += terms[i];
    return true;
}

} // namespace

void cpu_split_scores(context &where, int32_t, memory_source &memory, split_scores_request &request)
{
    const table_view &table = request.rows.view;
    score_computation work(where, memory, request);
    crew::run(where, workers_for(where, where.threads(), table.rows * table.columns),
              [&](crew &team) { work.run(team); });
}

} // namespace iqa

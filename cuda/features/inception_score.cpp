// SPDX-License-Identifier: MIT
// Host side of the Inception Score's sums. The caller waits for them.
#include "cuda/features/inception_score.h"
#include "core/parallel.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"
#include "values/inception_score.hpp"

#include <algorithm>

namespace iqa::cuda {

namespace {

// For the splits of one launch.
constexpr int64_t most_bytes_of_sums = 16 << 20;

class class_summing {
public:
    class_summing(context &where, memory_source &device, split_scores_request &request);

    void run();

private:
    bool look_at_all();
    void add_splits(int64_t first, int64_t count);
    int64_t sums_of_split() const { return request_.rows.view.columns + 1; }

    context &where_;
    split_scores_request &request_;
    const int64_t batch_; // of splits
    scratch host_memory_;
    scratch device_memory_;
    scratch sums_memory_;
    host_copies copies_;
    int128 *split_sums_;
    wide_sum *sums_[2]; // on the host, on the device
    look_at_rows::tally *found_[2];
    row_constants constants_;
    row_set rows_; // on the device
};

class_summing::class_summing(context &where, memory_source &device, split_scores_request &request)
    : where_(where),
      request_(request),
      batch_(
          std::clamp<int64_t>(most_bytes_of_sums / (sums_of_split() * int64_t(sizeof(wide_sum))), 1, request.splits)),
      host_memory_(where),
      device_memory_(device),
      sums_memory_(device),
      copies_(where),
      rows_(request.rows)
{
    const int64_t rows = request.rows.view.rows;
    const auto sums = size_t(batch_ * sums_of_split());
    split_sums_ = host_memory_.take<int128>(size_t(sums_of_split()) + 2 * sums + 1, "the sums of class probabilities");
    sums_[0] = reinterpret_cast<wide_sum *>(split_sums_ + sums_of_split());
    found_[0] = reinterpret_cast<look_at_rows::tally *>(sums_[0] + sums);
    sums_[1] = sums_memory_.take<wide_sum>(sums, "the sums of class probabilities");
    const auto words = size_t(rows) * (rows_.chosen != nullptr ? 5 : 3) + 2;
    auto *const memory = device_memory_.take<double>(words, "what follows from each row of scores");
    found_[1] = reinterpret_cast<look_at_rows::tally *>(memory);
    constants_ = {memory + 2, memory + 2 + rows, memory + 2 + 2 * rows};
    if (rows_.chosen != nullptr) {
        auto *const keys = reinterpret_cast<keyed_row *>(memory + 2 + 3 * rows);
        check(copies_.upload(keys, rows_.chosen, size_t(rows) * sizeof(keyed_row)),
              "copying the order of the rows to the device");
        rows_.chosen = keys;
    }
}

// Returns false if a row has a fault.
bool class_summing::look_at_all()
{
    launch<look_at_rows>(where_, divide_up(rows_.view.rows, staged_rows::rows), look_at_rows::shared_bytes,
                         {.table = rows_.view, .logits = request_.logits, .constants = constants_, .found = found_[1]});
    fetch(copies_, found_[0], found_[1], 1, "looking at all scores");
    const auto row_of = [](uint64_t complement) {
        return complement == 0 ? -1 : int64_t(~complement);
    };
    request_.nonfinite_row = row_of(found_[0]->nonfinite);
    request_.invalid_row = row_of(found_[0]->invalid);
    return request_.invalid_row < 0;
}

void class_summing::add_splits(int64_t first, int64_t count)
{
    const int64_t most_rows = divide_up(rows_.count, request_.splits);
    const int64_t parts = divide_up(most_rows, add_class_sums::rows_of_part);
    check(active_runtime.clear(sums_[1], size_t(count * sums_of_split()) * sizeof(wide_sum), stream_of(where_)),
          "clearing CUDA memory");
    launch<add_class_sums>(where_, count * parts * add_class_sums::groups_of(rows_.view.columns), 0,
                           {.rows = rows_,
                            .logits = request_.logits,
                            .constants = constants_,
                            .splits = request_.splits,
                            .first_split = first,
                            .parts_of_split = parts,
                            .sums = sums_[1]});
    fetch(copies_, sums_[0], sums_[1], count * sums_of_split(), "summing class probabilities");
    for (int64_t split = 0; split < count; ++split) {
        for (int64_t i = 0; i < sums_of_split(); ++i)
            split_sums_[i] = value_of(sums_[0][split * sums_of_split() + i]);
        const int64_t number = first + split;
        request_.scores[number] = score_of_split(split_sums_, rows_.view.columns,
                                                 first_row_of_split(number + 1, request_.splits, rows_.count) -
                                                     first_row_of_split(number, request_.splits, rows_.count));
        report_progress(where_, first + split + 1, request_.splits);
    }
}

void class_summing::run()
{
    report_progress(where_, 0, request_.splits);
    if (!look_at_all())
        return;
    for (int64_t first = 0; first < request_.splits; first += batch_)
        add_splits(first, std::min(batch_, request_.splits - first));
}

} // namespace

void split_scores(context &where, int32_t device_id, memory_source &memory, split_scores_request &request)
{
    const current_device current(device_id);
    const waiting_call call(where);
    class_summing(where, memory, request).run();
}

} // namespace iqa::cuda

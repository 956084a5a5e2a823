// SPDX-License-Identifier: MIT
// FID of a set that came in shards: extrapolated to infinitely many rows, and its standard error.
#include "metrics/features/fid.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

const fid_metric &shard_at(std::span<const iqa_metric *const> shards, size_t index)
{
    if (shards[index] == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "shards[", index, "] is NULL");
    if (shards[index]->kind() != metric_kind::fid)
        fail(IQA_ERROR_INVALID_ARGUMENT, "shards[", index, "] is not a FID metric");
    shards[index]->settle();
    return static_cast<const fid_metric &>(*shards[index]);
}

// A metric with the reference rows of all shards; candidate rows of shards are added and removed.
class collection {
public:
    explicit collection(std::span<const iqa_metric *const> shards)
        : metric_(static_cast<fid_metric *>(create_fid(shard_at(shards, 0).owner(), shard_at(shards, 0).options())))
    {
        try {
            for (size_t i = 0; i < shards.size(); ++i)
                metric_->add_side(shard_at(shards, i), IQA_FID_REFERENCE, false);
        } catch (...) {
            iqa_metric::destroy(metric_);
            throw;
        }
    }
    collection(const collection &) = delete;
    collection &operator=(const collection &) = delete;
    ~collection() { iqa_metric::destroy(metric_); }

    void add_candidate(const fid_metric &shard) { metric_->add_side(shard, IQA_FID_CANDIDATE, false); }
    void remove_candidate(const fid_metric &shard) { metric_->add_side(shard, IQA_FID_CANDIDATE, true); }
    double rows() const { return read(IQA_FIELD_FID_ROWS_CANDIDATE); }
    double value() const { return read(IQA_FIELD_VALUE); }

private:
    double read(int32_t field) const
    {
        double value = 0.0;
        metric_->read(field, {&value, 1});
        return value;
    }

    fid_metric *metric_;
};

void require_two(size_t count)
{
    if (count < 2)
        fail(IQA_ERROR_INVALID_ARGUMENT, "there are ", count, " shards with candidate rows; at least 2 are needed");
}

bool has_candidates(const fid_metric &shard)
{
    return shard.side(IQA_FID_CANDIDATE).rows() > 0;
}

} // namespace

// The line value = intercept + slope / rows with the least squared error, through one point for each shard that adds
// candidate rows; sums in the order of the shards, about the mean.
fid_line fid_extrapolate(std::span<const iqa_metric *const> shards)
{
    collection collected(shards);
    double points = 0.0;
    double mean_x = 0.0;
    double mean_y = 0.0;
    double squares = 0.0;
    double products = 0.0;
    for (size_t i = 0; i < shards.size(); ++i) {
        const fid_metric &shard = shard_at(shards, i);
        if (!has_candidates(shard))
            continue;
        collected.add_candidate(shard);
        const double x = 1.0 / collected.rows();
        const double y = collected.value();
        points += 1.0;
        const double from_mean_x = x - mean_x;
        mean_x += from_mean_x / points;
        mean_y += (y - mean_y) / points;
        squares += from_mean_x * (x - mean_x);
        products += from_mean_x * (y - mean_y);
    }
    require_two(size_t(points));
    const double slope = products / squares;
    return {mean_y - slope * mean_x, slope};
}

// R. G. Miller, "The jackknife: a review", Biometrika 61, 1974: each shard's candidate rows are left out once.
fid_estimate fid_jackknife(std::span<const iqa_metric *const> shards)
{
    collection collected(shards);
    double groups = 0.0;
    for (size_t i = 0; i < shards.size(); ++i)
        if (has_candidates(shard_at(shards, i))) {
            collected.add_candidate(shard_at(shards, i));
            groups += 1.0;
        }
    require_two(size_t(groups));
    const double whole = collected.value();
    double taken = 0.0;
    double mean = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < shards.size(); ++i) {
        const fid_metric &shard = shard_at(shards, i);
        if (!has_candidates(shard))
            continue;
        collected.remove_candidate(shard);
        const double without = collected.value();
        collected.add_candidate(shard);
        taken += 1.0;
        const double from_mean = without - mean;
        mean += from_mean / taken;
        squares += from_mean * (without - mean);
    }
    return {groups * whole - (groups - 1.0) * mean, __builtin_sqrt((groups - 1.0) / groups * squares)};
}

} // namespace iqa

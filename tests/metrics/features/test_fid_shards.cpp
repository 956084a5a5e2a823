// SPDX-License-Identifier: MIT
// FID from shards: the line to infinity and the jackknife, against the formulas over whole sets.
#include <cmath>

#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

constexpr int64_t features = 12;

feature_set rows_of(const feature_set &set, int64_t first, int64_t last)
{
    feature_set part(last - first, set.features);
    std::copy(set.row(first), set.row(first) + (last - first) * set.features, part.values.begin());
    return part;
}

feature_set without(const feature_set &set, int64_t first, int64_t last)
{
    feature_set rest(set.rows - (last - first), set.features);
    std::copy(set.row(0), set.row(0) + first * set.features, rest.values.begin());
    std::copy(set.row(0) + last * set.features, set.row(0) + set.rows * set.features,
              rest.values.begin() + first * set.features);
    return rest;
}

struct shards {
    context_pointer context = make_context();
    feature_set reference = hash_features(1, 300, features);
    feature_set candidate = hash_features(2, 200, features, 0.125f);
    std::vector<int64_t> ends = {50, 90, 150, 200};
    std::vector<metric_pointer> metrics;
    std::vector<const iqa_metric *> handles;

    shards()
    {
        int64_t begin = 0;
        for (const int64_t end : ends) {
            metrics.push_back(make_fid(context, fid_options(features)));
            add_rows(metrics.back(), IQA_FID_CANDIDATE, candidate, begin, end - begin);
            begin = end;
        }
        // The reference set is spread over two shards, one of which has nothing else.
        add_rows(metrics[2], IQA_FID_REFERENCE, reference, 0, 100);
        metrics.push_back(make_fid(context, fid_options(features)));
        add_rows(metrics.back(), IQA_FID_REFERENCE, reference, 100, 200);
        for (const metric_pointer &metric : metrics)
            handles.push_back(metric.get());
    }
};

} // namespace

TEST_CASE("the line to infinity goes through the values of growing sets", "[fid]")
{
    const shards data;
    double value = 0;
    double slope = 0;
    REQUIRE(iqa_fid_extrapolate(data.handles.data(), data.handles.size(), &value, &slope) == IQA_OK);

    long double sum_x = 0;
    long double sum_y = 0;
    long double sum_xx = 0;
    long double sum_xy = 0;
    for (const int64_t end : data.ends) {
        const long double x = 1.0L / static_cast<long double>(end);
        const long double y = read(fid_of(data.context, data.reference, rows_of(data.candidate, 0, end)));
        sum_x += x, sum_y += y, sum_xx += x * x, sum_xy += x * y;
    }
    const auto count = static_cast<long double>(data.ends.size());
    const long double expected = (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x);
    CHECK(slope == Approx(double(expected)).epsilon(1e-12));
    CHECK(value == Approx(double((sum_y - expected * sum_x) / count)).epsilon(1e-12));
    CHECK(slope > 0); // FID falls as rows are added
}

TEST_CASE("the jackknife leaves out each shard once", "[fid]")
{
    const shards data;
    double value = 0;
    double error = 0;
    REQUIRE(iqa_fid_jackknife(data.handles.data(), data.handles.size(), &value, &error) == IQA_OK);

    const auto count = double(data.ends.size());
    const double whole = read(fid_of(data.context, data.reference, data.candidate));
    std::vector<double> left_out;
    int64_t begin = 0;
    double mean = 0;
    for (const int64_t end : data.ends) {
        left_out.push_back(read(fid_of(data.context, data.reference, without(data.candidate, begin, end))));
        mean += left_out.back() / count;
        begin = end;
    }
    double squares = 0;
    for (const double one : left_out)
        squares += (one - mean) * (one - mean);
    CHECK(value == Approx(count * whole - (count - 1) * mean).epsilon(1e-12));
    CHECK(error == Approx(std::sqrt((count - 1) / count * squares)).epsilon(1e-10));
    CHECK(value < whole); // the bias is upwards
}

TEST_CASE("what shards must be", "[fid]")
{
    const shards data;
    double value = 0;
    double other = 0;
    const iqa_metric *const *handles = data.handles.data();
    CHECK(iqa_fid_extrapolate(nullptr, 2, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_fid_extrapolate(handles, 0, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_fid_extrapolate(handles + 3, 2, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT); // one with candidates
    CHECK(iqa_fid_jackknife(handles + 3, 2, &value, &other) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_fid_jackknife(handles, 2, &value, &other) == IQA_ERROR_NO_DATA); // no reference rows
    CHECK(iqa_fid_jackknife(handles, 5, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);

    const auto coarser = make_fid(data.context, fid_options(features, 20));
    iqa_metric *psnr = nullptr;
    REQUIRE(iqa_psnr_create(data.context.get(), nullptr, &psnr) == IQA_OK);
    const metric_pointer owner(psnr);
    const iqa_metric *const wrong[] = {handles[0], coarser.get()};
    const iqa_metric *const foreign[] = {handles[0], psnr};
    const iqa_metric *const missing[] = {handles[0], nullptr};
    CHECK(iqa_fid_extrapolate(wrong, 2, &value, nullptr) == IQA_ERROR_INCOMPATIBLE);
    CHECK(iqa_fid_extrapolate(foreign, 2, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_fid_extrapolate(missing, 2, &value, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(std::string(iqa_context_error(data.context.get())) == "shards[1] is NULL");
}

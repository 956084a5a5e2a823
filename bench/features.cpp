// SPDX-License-Identifier: MIT
// FID's distance of two sets of 3000 rows on one thread: by the library from exact moments, and by Eigen from the
// covariances (Cholesky factors, their product, and its singular values by BDCSVD). Both have to agree.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/SVD>

#include "iqa_c.h"

namespace {

constexpr int64_t rows = 3000;
constexpr double largest_difference = 1e-9; // relative to the traces

// Rows whose features depend on their neighbours and differ in size.
std::vector<float> make_features(uint64_t state, int64_t features)
{
    std::vector<float> values(size_t(rows * features));
    for (int64_t i = 0; i < rows * features; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const float before = i % features > 0 ? values[size_t(i - 1)] : 0.5f;
        values[size_t(i)] = 0.5f * before + float(state >> 40) * 0x1p-24f / float(1 + i % features % 16);
    }
    return values;
}

// A metric with both sets, and the input of Eigen.
class two_sets {
public:
    explicit two_sets(int64_t features) : features_(features)
    {
        iqa_context_options on_one_thread = IQA_CONTEXT_OPTIONS_INIT;
        on_one_thread.threads = 1;
        iqa_fid_options options = IQA_FID_OPTIONS_INIT;
        options.features = int32_t(features);
        require(iqa_context_create(&on_one_thread, &context_));
        require(iqa_fid_create(context_, &options, &metric_));
        update(make_features(1, features), make_features(2, features), rows);
    }
    two_sets(const two_sets &) = delete;
    ~two_sets()
    {
        iqa_metric_destroy(metric_);
        iqa_context_destroy(context_);
    }

    // An empty update, since a metric keeps a computed value until an update.
    void forget() { update({0.0f}, {0.0f}, 0); }

    double distance() const
    {
        double value = 0;
        require(iqa_metric_compute(metric_, &value));
        return value;
    }

    Eigen::MatrixXd covariance(int32_t field) const
    {
        Eigen::MatrixXd result(features_, features_);
        require(iqa_metric_read(metric_, field, result.data(), size_t(result.size()), nullptr));
        return result;
    }

    double field(int32_t number) const
    {
        double value = 0;
        require(iqa_metric_read(metric_, number, &value, 1, nullptr));
        return value;
    }

    const char *instruction_set() const { return iqa_context_instruction_set(context_); }

private:
    void require(iqa_status status) const
    {
        if (status != IQA_OK) {
            std::fprintf(stderr, "%s\n", iqa_context_error(context_));
            std::exit(1);
        }
    }
    void update(const std::vector<float> &reference, const std::vector<float> &candidate, int64_t count)
    {
        const int64_t shape[] = {count, features_};
        const iqa_tensor first = iqa_cpu_tensor(reference.data(), IQA_FLOAT32, 2, shape);
        const iqa_tensor second = iqa_cpu_tensor(candidate.data(), IQA_FLOAT32, 2, shape);
        require(iqa_metric_update(metric_, &first, &second, nullptr));
    }

    int64_t features_;
    iqa_context *context_ = nullptr;
    iqa_metric *metric_ = nullptr;
};

void by_library(benchmark::State &state)
{
    two_sets sets(state.range(0));
    for (auto _ : state) {
        sets.forget();
        benchmark::DoNotOptimize(sets.distance());
    }
    state.SetLabel(sets.instruction_set());
}

void by_eigen(benchmark::State &state)
{
    const two_sets sets(state.range(0));
    const Eigen::MatrixXd covariances[] = {sets.covariance(IQA_FIELD_FID_COVARIANCE_REFERENCE),
                                           sets.covariance(IQA_FIELD_FID_COVARIANCE_CANDIDATE)};
    const double traces = covariances[0].trace() + covariances[1].trace();
    double value = 0;
    for (auto _ : state) {
        const Eigen::LLT<Eigen::MatrixXd> factors[] = {covariances[0].llt(), covariances[1].llt()};
        const Eigen::MatrixXd first = factors[0].matrixL();
        const Eigen::MatrixXd second = factors[1].matrixL();
        const Eigen::BDCSVD<Eigen::MatrixXd> decomposition(first.transpose() * second);
        value = sets.field(IQA_FIELD_FID_MEAN_TERM) + traces - 2 * decomposition.singularValues().sum();
    }
    const double difference = std::fabs(value - sets.distance()) / traces;
    state.counters["difference"] = difference;
    if (!(difference <= largest_difference))
        state.SkipWithError("the two distances differ");
}

BENCHMARK(by_library)->Name("fid/iqa/D")->Arg(512)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(by_eigen)->Name("fid/eigen/D")->Arg(512)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();

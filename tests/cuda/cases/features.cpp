// SPDX-License-Identifier: MIT
// FID's moments over types, strides, words, sides and batches. test_fid_trace.cpp tests the value.
#include "cuda/cases/cases.hpp"

namespace test {

namespace {

struct word {
    int fraction_bits, bits;
};
constexpr word words[] = {{24, IQA_FID_WORD_32}, {16, IQA_FID_WORD_24}, {20, IQA_FID_WORD_32}};

// Features over the range of the words with the most fraction bits; with fractions for floats.
template <class Sample>
case_tensor features_of(int64_t rows, int64_t columns, uint64_t seed)
{
    auto random = std::make_shared<random_numbers>(seed);
    const bool fraction = sizeof(Sample) > 2;
    return dense<Sample>({rows, columns}, [=](int64_t) {
        const double value = double(random->below(254)) - 127;
        return fraction ? value + random->uniform() : value;
    });
}

case_tensor features_of(int dtype, int64_t rows, int64_t columns, uint64_t seed)
{
    switch (dtype) {
    case IQA_FLOAT16:
        return features_of<iqa::float16>(rows, columns, seed);
    case IQA_BFLOAT16:
        return features_of<iqa::bfloat16>(rows, columns, seed);
    case IQA_FLOAT32:
        return features_of<float>(rows, columns, seed);
    default:
        return features_of<double>(rows, columns, seed);
    }
}

// The transposed view of the same memory: rows are one element apart.
case_tensor transposed(case_tensor tensor)
{
    std::swap(tensor.shape[0], tensor.shape[1]);
    tensor.strides = {1, tensor.shape[0]};
    return tensor;
}

device_case make_case(const std::string &name, int64_t columns, const word &format, std::vector<case_update> updates)
{
    return {name,
            [columns, format](const context_pointer &context) {
                iqa_fid_options options = IQA_FID_OPTIONS_INIT;
                options.features = int32_t(columns);
                options.fraction_bits = format.fraction_bits;
                options.word_bits = format.bits;
                iqa_metric *metric = nullptr;
                iqa_fid_create(context.get(), &options, &metric);
                return metric_pointer(metric);
            },
            std::move(updates)};
}

} // namespace

std::vector<device_case> fid_cases(bool few)
{
    std::vector<device_case> cases;
    uint64_t seed = 0;
    for (const int dtype : {IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64})
        for (const int64_t columns : {1, 63, 64, 130})
            for (const int64_t rows : {1, 33, 300}) {
                ++seed;
                if (few && (columns < 64 || rows != 33))
                    continue;
                case_update both;
                both.reference = features_of(dtype, rows, columns, seed);
                both.candidate = features_of(dtype, 2 * rows + 1, columns, seed + 100);
                case_update candidate_only;
                candidate_only.candidate = transposed(features_of(dtype, columns, rows, seed + 200));
                cases.push_back(make_case(std::to_string(rows) + " rows of " + std::to_string(columns) +
                                              " features of type " + std::to_string(dtype),
                                          columns, words[seed % std::size(words)], {both, candidate_only, both}));
            }
    // Sides of two types, and a feature outside the grid in the second of three updates.
    case_update mixed;
    mixed.reference = features_of(IQA_FLOAT64, 70, 65, 1);
    mixed.candidate = features_of(IQA_FLOAT16, 50, 65, 2);
    cases.push_back(make_case("sides of two types", 65, words[0], {mixed}));
    case_update faulty = mixed;
    faulty.reference = dense<float>({70, 65}, [](int64_t i) { return i == 1234 ? 1e9 : double(i % 100); });
    cases.push_back(make_case("a feature outside the grid", 65, words[0], {mixed, faulty, mixed}));
    return cases;
}

fid_outcome run_fid(int64_t features, int64_t rows, bool on_device)
{
    iqa_fid_options options = IQA_FID_OPTIONS_INIT;
    options.features = int32_t(features);
    device_case each = {"value",
                        [&](const context_pointer &context) {
                            iqa_metric *metric = nullptr;
                            iqa_fid_create(context.get(), &options, &metric);
                            return metric_pointer(metric);
                        },
                        {}};
    each.updates.resize(1);
    each.updates[0].reference = features_of<float>(rows, features, 1);
    each.updates[0].candidate = features_of<float>(rows / 2, features, 2);
    running_case run(each, on_device);
    fid_outcome outcome;
    if (run.update(0) != IQA_OK || run.state(outcome.state) != IQA_OK)
        return outcome;
    for (const int field : {int(IQA_FIELD_VALUE), int(IQA_FIELD_FID_TRACE_TERM), int(IQA_FIELD_FID_RANK_REFERENCE),
                            int(IQA_FIELD_FID_RANK_CANDIDATE)})
        outcome.parts.push_back(run.read(field));
    return outcome;
}

} // namespace test

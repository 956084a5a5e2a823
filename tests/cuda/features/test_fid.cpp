// SPDX-License-Identifier: MIT
// FID on a device: the lanes of the CPU, byte by byte, from updates that only enqueue.
#include <algorithm>
#include <limits>

#include "cuda/features/moments.h"
#include "cuda/machine/launch.hpp"
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

iqa_status enqueue(const metric_pointer &metric, const iqa_tensor *reference, const iqa_tensor *candidate)
{
    return iqa_metric_update(metric.get(), reference, candidate, nullptr);
}

// Features that every type can hold, over the whole range of the grid.
template <class Sample>
std::vector<Sample> random_samples(int64_t count, uint64_t seed)
{
    random_numbers random(seed);
    std::vector<Sample> samples;
    for (int64_t i = 0; i < count; ++i)
        samples.push_back(sample_from<Sample>(double(random.below(255)) - 127));
    if constexpr (std::is_floating_point_v<Sample>)
        for (Sample &sample : samples)
            sample = Sample(sample * (1 - random.uniform() * 0x1p-10));
    // Features that the grid rounds to little or nothing.
    for (size_t i = 0; i < samples.size(); i += 3)
        if constexpr (std::is_same_v<Sample, iqa::float16>)
            samples[i] = {uint16_t((i % 2 << 15) | (i % 40))}; // multiples of 2^-24
        else
            samples[i] = sample_from<Sample>(double(iqa::widen(samples[i])) * std::ldexp(1.0, -int(i % 160)));
    return samples;
}

struct word {
    int fraction_bits, bits;
};
constexpr word words[] = {{24, IQA_FID_WORD_32}, {16, IQA_FID_WORD_24}, {20, IQA_FID_WORD_32}};

sequential_machine &fresh_machine()
{
    sequential_machine &machine = sequential_machine::get();
    machine.reset();
    return machine;
}

} // namespace

TEMPLATE_TEST_CASE("moments from a device are those of the CPU, byte by byte", "", iqa::float16, iqa::bfloat16, float,
                   double)
{
    sequential_machine &machine = fresh_machine();
    machine.order = GENERATE(thread_order::forward, thread_order::backward, thread_order::shuffled);
    const context_pointer context = make_context();
    const int dtype = dtype_of<TestType>::value;
    uint64_t seed = 0;
    for (const int64_t features : {1, 5, 63, 64, 65, 130})
        for (const int64_t rows : {1, 31, 33, 300}) {
            const auto &[fraction_bits, word_bits] = words[++seed % std::size(words)];
            if (fraction_bits == 20 && std::is_same_v<TestType, double>)
                continue; // its larger range need not be tried for each type
            const iqa_fid_options options = fid_options(features, fraction_bits, word_bits);
            const auto expected = make_fid(context, options);
            const auto metric = make_fid(context, options);
            const auto reference = random_samples<TestType>(rows * features, seed);
            const auto candidate = random_samples<TestType>(2 * rows * features, seed + 1000);
            REQUIRE(enqueue(expected, tensor(reference.data(), dtype, {rows, features}),
                            tensor(candidate.data(), dtype, {2 * rows, features})) == IQA_OK);
            REQUIRE(enqueue(metric, device_tensor(reference.data(), dtype, std::vector{rows, features}),
                            device_tensor(candidate.data(), dtype, std::vector{2 * rows, features})) == IQA_OK);
            CHECK((bytes_of(metric) == bytes_of(expected))); // parentheses: too long to print
        }
}

TEST_CASE("moments from a device do not depend on batches, strides, sides or the device's size")
{
    fresh_machine();
    const context_pointer context = make_context();
    const int64_t rows = 700;
    const int64_t features = 70;
    const auto samples = random_samples<float>(rows * features, 5);
    const iqa_fid_options options = fid_options(features);
    const auto whole = make_fid(context, options);
    REQUIRE(enqueue(whole, tensor(samples.data(), IQA_FLOAT32, {rows, features}), nullptr) == IQA_OK);
    const auto expected = bytes_of(whole);

    SECTION("batches, some of them on the CPU")
    {
        for (const int64_t batch : {1, 100, 699}) {
            const auto metric = make_fid(context, options);
            int64_t updates = 0;
            for (int64_t row = 0; row < rows; row += batch) {
                const std::vector<int64_t> shape = {std::min(batch, rows - row), features};
                const float *data = samples.data() + row * features;
                if (++updates % 3 == 0)
                    REQUIRE(enqueue(metric, tensor(data, IQA_FLOAT32, shape), nullptr) == IQA_OK);
                else
                    REQUIRE(enqueue(metric, device_tensor(data, IQA_FLOAT32, shape), nullptr) == IQA_OK);
            }
            CHECK((bytes_of(metric) == expected));
        }
    }
    SECTION("columns, every third element, and backwards")
    {
        std::vector<float> columns(samples.size());
        std::vector<float> apart(samples.size() * 6);
        std::vector<float> backwards(samples.rbegin(), samples.rend());
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < features; ++j) {
                columns[size_t(j * rows + i)] = samples[size_t(i * features + j)];
                apart[size_t((i * features * 2 + j) * 3)] = samples[size_t(i * features + j)];
            }
        const std::vector<int64_t> shape = {rows, features};
        const device_tensor views[] = {
            device_tensor(columns.data(), IQA_FLOAT32, shape, std::vector<int64_t>{1, rows}),
            device_tensor(apart.data(), IQA_FLOAT32, shape, std::vector<int64_t>{features * 6, 3}),
            device_tensor(backwards.data() + backwards.size() - 1, IQA_FLOAT32, shape,
                          std::vector<int64_t>{-features, -1})};
        for (const device_tensor &view : views) {
            const auto metric = make_fid(context, options);
            REQUIRE(enqueue(metric, view, nullptr) == IQA_OK);
            CHECK((bytes_of(metric) == expected));
        }
    }
    SECTION("the candidate set alone, and sides of two types")
    {
        std::vector<double> wider(samples.begin(), samples.end());
        const auto swapped = make_fid(context, options);
        REQUIRE(enqueue(swapped, nullptr, tensor(samples.data(), IQA_FLOAT32, {rows, features})) == IQA_OK);
        const auto metric = make_fid(context, options);
        REQUIRE(enqueue(metric, nullptr, device_tensor(wider.data(), IQA_FLOAT64, std::vector{rows, features})) ==
                IQA_OK);
        CHECK((bytes_of(metric) == bytes_of(swapped)));
        REQUIRE(enqueue(metric, device_tensor(samples.data(), IQA_FLOAT32, std::vector{rows, features}),
                        device_tensor(wider.data(), IQA_FLOAT64, std::vector{int64_t(0), features})) == IQA_OK);
        CHECK(iqa_metric_merge(whole.get(), swapped.get()) == IQA_OK);
        CHECK((bytes_of(metric) == bytes_of(whole)));
    }
}

TEST_CASE("the rows of a block fit 32 bits, whatever the slices")
{
    fresh_machine();
    const context_pointer context = make_context();
    const int64_t rows = iqa::most_rows_sliced;
    const auto &chosen = words[GENERATE(0, 1)];
    const int fraction_bits = chosen.fraction_bits;
    const int word_bits = chosen.bits;
    const bool wide = word_bits == IQA_FID_WORD_32;
    // All slices as large as they can be together, and the largest q.
    const int64_t slices = wide ? -(int64_t(126) << 24) - 0x808080 : -(int64_t(126) << 16) - 0x8080;
    const int64_t largest = wide ? iqa::wide_limit : -iqa::narrow_limit;
    std::vector<double> samples;
    for (int64_t i = 0; i < rows; ++i)
        for (const int64_t q : {slices, largest})
            samples.push_back(double(q) * iqa::power_of_two(-fraction_bits));
    const auto expected = make_fid(context, fid_options(2, fraction_bits, word_bits));
    REQUIRE(enqueue(expected, tensor(samples.data(), IQA_FLOAT64, {rows, 2}), nullptr) == IQA_OK);

    // One block takes all rows, as on a small device.
    std::vector<int64_t> lanes(size_t(iqa::moment_lanes::count(2)));
    const uint32_t sound = 1;
    const iqa::table_view table = {
        iqa::element_type::float64, reinterpret_cast<const std::byte *>(samples.data()), rows, 2, 2, 1};
    const auto add = [&](auto slices_of_word) {
        using kernel = iqa::cuda::add_moments<decltype(slices_of_word)::value>;
        typename kernel::arguments args{};
        args.sides[0] = {table, lanes.data(), rows, 1};
        args.gain = iqa::power_of_two(fraction_bits);
        args.sound = &sound;
        iqa::cuda::launch<kernel>(*context, 1, kernel::shared_bytes, args);
    };
    if (wide)
        add(std::integral_constant<int, iqa::wide_slices>());
    else
        add(std::integral_constant<int, iqa::narrow_slices>());
    sequential_machine::get().run_queue();
    for (int pair = 0; pair < 3; ++pair) {
        int64_t *const word = lanes.data() + 3 + 2 * pair;
        const iqa::moment_words carried = iqa::carry({word[0], word[1]});
        word[0] = carried.low;
        word[1] = carried.high;
    }
    const std::vector<int64_t> cpu_lanes = lanes_of(expected);
    CHECK(std::equal(lanes.begin(), lanes.end(), cpu_lanes.begin()));
}

TEST_CASE("a feature outside the grid is told at the next read, and nothing of its update is added")
{
    sequential_machine &machine = fresh_machine();
    machine.order = GENERATE(thread_order::forward, thread_order::backward, thread_order::shuffled);
    const bool column_major = GENERATE(false, true);
    const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 127.5f);
    const context_pointer context = make_context();
    const int64_t rows = 300;
    const int64_t features = 70;
    const auto good = random_samples<float>(rows * features, 1);
    const auto at = [&](int64_t row, int64_t column) {
        return size_t(column_major ? column * rows + row : row * features + column);
    };
    const std::vector<int64_t> shape = {rows, features};
    const std::vector<int64_t> strides = {column_major ? 1 : features, column_major ? rows : 1};
    const auto metric = make_fid(context, fid_options(features));
    const device_tensor sound(good.data(), IQA_FLOAT32, shape, strides);
    REQUIRE(enqueue(metric, sound, nullptr) == IQA_OK);
    const auto before = bytes_of(metric);

    auto spoiled = good;
    spoiled[at(213, 17)] = spoiled[at(213, 60)] = spoiled[at(250, 3)] = bad;
    const device_tensor faulty(spoiled.data(), IQA_FLOAT32, shape, strides);
    auto other = good;
    other[at(0, 0)] = bad;
    const device_tensor other_faulty(other.data(), IQA_FLOAT32, shape, strides);
    double value = 0;
    const auto check_read = [&](const char *text) {
        CHECK(iqa_metric_read(metric.get(), IQA_FIELD_FID_ROWS_REFERENCE, &value, 1, nullptr) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context).find(text) == 0);
        CHECK(last_error(context).find("expected a number from -127 to 127") != std::string::npos);
        CHECK((bytes_of(metric) == before));
    };
    CHECK(enqueue(metric, sound, faulty) == IQA_OK);
    check_read("update 2 on the CUDA device: candidate[213, 17] is ");
    CHECK(enqueue(metric, faulty, other_faulty) == IQA_OK);
    CHECK(enqueue(metric, other_faulty, nullptr) == IQA_OK);
    check_read("update 3 on the CUDA device: reference[213, 17] is ");

    const auto twice = make_fid(context, fid_options(features));
    CHECK(enqueue(twice, sound, nullptr) == IQA_OK);
    CHECK(enqueue(twice, faulty, sound) == IQA_OK);
    CHECK(enqueue(twice, sound, nullptr) == IQA_OK);
    size_t count = 0;
    CHECK(iqa_metric_lanes(twice.get(), nullptr, 0, &count) == IQA_ERROR_NUMERIC);
    CHECK(read(twice, IQA_FIELD_FID_ROWS_REFERENCE) == 2.0 * double(rows));
    CHECK(read(twice, IQA_FIELD_FID_ROWS_CANDIDATE) == 0.0);
}

TEST_CASE("a warm update only launches, and can be captured and replayed")
{
    sequential_machine &machine = fresh_machine();
    const context_pointer context = make_context();
    const int64_t rows = 50;
    const int64_t features = 20;
    const auto samples = random_samples<float>(rows * features, 3);
    const device_tensor view(samples.data(), IQA_FLOAT32, std::vector{rows, features});
    const auto metric = make_fid(context, fid_options(features));
    REQUIRE(enqueue(metric, view, view) == IQA_OK);
    const machine_counts cold = machine.counts;
    REQUIRE(enqueue(metric, view, view) == IQA_OK);
    CHECK(machine.counts.launches == cold.launches + 3);
    CHECK(machine.counts.allocations == cold.allocations);
    CHECK(machine.counts.waits == 0);
    CHECK(machine.counts.uploads == 0);
    CHECK(machine.counts.downloads == 0);
    CHECK(machine.counts.clears == cold.clears);

    machine.capturing = true;
    REQUIRE(enqueue(metric, view, nullptr) == IQA_OK);
    size_t count = 0;
    CHECK(iqa_metric_lanes(metric.get(), nullptr, 0, &count) == IQA_ERROR_CUDA);
    machine.capturing = false;
    machine.replay();
    machine.replay();
    CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 4.0 * double(rows));
    machine.replay();
    machine.forget_graph();
    CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 5.0 * double(rows));
    const auto expected = make_fid(context, fid_options(features));
    const tensor on_host(samples.data(), IQA_FLOAT32, {rows, features});
    for (int i = 0; i < 5; ++i)
        REQUIRE(enqueue(expected, on_host, i < 2 ? &on_host.view : nullptr) == IQA_OK);
    CHECK((bytes_of(metric) == bytes_of(expected)));

    // A second read without an update neither computes nor fetches lanes.
    read(metric);
    const int downloads = machine.counts.downloads;
    read(metric, IQA_FIELD_FID_RAW);
    CHECK(machine.counts.downloads == downloads + 1);
}

TEST_CASE("whichever call of the runtime fails, the metric stays as it was and nothing is lost")
{
    sequential_machine &machine = fresh_machine();
    const int64_t bytes_before = machine.live_bytes;
    const int64_t rows = 40;
    const int64_t features = 10;
    const auto samples = random_samples<float>(rows * features, 4);
    const device_tensor view(samples.data(), IQA_FLOAT32, std::vector{rows, features});
    const bool warm = GENERATE(false, true);
    bool ended = false;
    for (int call = 1; !ended; ++call) {
        const context_pointer context = make_context();
        const auto metric = make_fid(context, fid_options(features));
        REQUIRE(enqueue(metric, tensor(samples.data(), IQA_FLOAT32, {rows, features}), nullptr) == IQA_OK);
        if (warm)
            REQUIRE(enqueue(metric, view, nullptr) == IQA_OK);
        const auto before = warm ? std::vector<unsigned char>() : bytes_of(metric);
        machine.counts = {};
        machine.fail_call = call;
        const iqa_status status = enqueue(metric, view, view);
        ended = machine.counts.calls < call;
        machine.fail_call = 0;
        if (status == IQA_OK) {
            CHECK((ended || machine.counts.passed_over()));
        } else {
            // If counting devices fails, there are none.
            CHECK(status == (!warm && call == 1 ? IQA_ERROR_UNAVAILABLE : IQA_ERROR_CUDA));
            if (warm)
                CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 2.0 * double(rows));
            else
                CHECK((bytes_of(metric) == before));
            REQUIRE(enqueue(metric, view, view) == IQA_OK);
        }
        // The same for calls of a read.
        for (int read_call = 1; read_call < 12; ++read_call) {
            machine.counts.calls = 0;
            machine.fail_call = read_call;
            std::vector<int64_t> lanes(2 * size_t(iqa::moment_lanes::count(features)));
            size_t count = 0;
            const iqa_status lanes_status = iqa_metric_lanes(metric.get(), lanes.data(), lanes.size(), &count);
            CHECK((lanes_status == IQA_OK || machine.counts.calls >= read_call)); // a failed clearing is repeated later
            machine.fail_call = 0;
        }
        CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == (warm ? 3.0 : 2.0) * double(rows));
        CHECK(read(metric, IQA_FIELD_FID_ROWS_CANDIDATE) == double(rows));
    }
    machine.run_queue();
    CHECK(machine.live_bytes == bytes_before);
}

TEST_CASE("what FID refuses of a device's tensors")
{
    sequential_machine &machine = fresh_machine();
    const context_pointer context = make_context();
    const std::vector<float> values(64, 1.0f);
    const std::vector<int64_t> shape = {2, 4};
    const auto metric = make_fid(context, fid_options(4));
    const device_tensor view(values.data(), IQA_FLOAT32, shape);
    const tensor on_host(values.data(), IQA_FLOAT32, {2, 4});
    CHECK(enqueue(metric, view, on_host) == IQA_ERROR_DEVICE);
    device_tensor second(values.data(), IQA_FLOAT32, shape);
    second.view.device_id = 1;
    CHECK(enqueue(metric, view, second) == IQA_ERROR_DEVICE);
    CHECK(enqueue(metric, second, nullptr) == IQA_ERROR_UNAVAILABLE);
    CHECK(enqueue(metric, nullptr, device_tensor(values.data(), IQA_FLOAT32, std::vector<int64_t>{2, 5})) ==
          IQA_ERROR_SHAPE);
    machine.devices = 2;
    CHECK(enqueue(metric, view, nullptr) == IQA_OK);
    CHECK(enqueue(metric, second, view) == IQA_ERROR_DEVICE);
    CHECK(enqueue(metric, nullptr, second) == IQA_OK); // from one device to another
    CHECK(read(metric, IQA_FIELD_FID_ROWS_REFERENCE) == 2);
    CHECK(read(metric, IQA_FIELD_FID_ROWS_CANDIDATE) == 2);
    machine.devices = 0;
    const auto other = make_fid(context, fid_options(4));
    CHECK(enqueue(other, view, nullptr) == IQA_ERROR_UNAVAILABLE);
    machine.devices = 1;
}

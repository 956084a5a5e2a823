// SPDX-License-Identifier: MIT
// PSNR's behaviour that only devices have: late faults, launches of an update, memory; and the counts of samples that
// SSIM requests. The tests of cases have values and common behaviour.
#include <limits>
#include <optional>

#include "backend/backend.hpp"
#include "cpu/backend.hpp"
#include "cuda/backend.hpp"
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/volume.hpp"

using namespace test;

namespace {

iqa_psnr_options options_for(int layout)
{
    iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 1;
    return options;
}

} // namespace

TEST_CASE("updates that the lanes have no room for are told at the next read, and not added")
{
    sequential_machine::get().reset();
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_NHW));
    const std::vector<double> x(24, 0.5);
    const std::vector<double> y(24, 0.25);
    const auto add = [&] {
        REQUIRE(iqa_metric_update(metric.get(), device_tensor(x.data(), IQA_FLOAT64, {4, 2, 3}),
                                  device_tensor(y.data(), IQA_FLOAT64, {4, 2, 3}), nullptr) == IQA_OK);
    };
    std::vector<int64_t> lanes(iqa::psnr_lane::count);
    lanes[iqa::psnr_lane::images] = (int64_t(1) << 62) - 6;
    REQUIRE(iqa_metric_add_lanes(metric.get(), lanes.data(), lanes.size()) == IQA_OK);
    add();
    double images = 0;
    CHECK(iqa_metric_read(metric.get(), IQA_FIELD_IMAGES, &images, 1, nullptr) == IQA_OK);
    const std::vector<unsigned char> before = bytes_of(metric);
    add(); // two beyond the limit
    CHECK(iqa_metric_read(metric.get(), IQA_FIELD_IMAGES, &images, 1, nullptr) == IQA_ERROR_NUMERIC);
    CHECK(last_error(context).find("lane 0 is 4611686018427387906; more than any state can have") != std::string::npos);
    CHECK(bytes_of(metric) == before);
    iqa_metric *loaded = nullptr;
    CHECK(iqa_metric_deserialize(context.get(), before.data(), before.size(), &loaded) == IQA_OK);
    iqa_metric_destroy(loaded);
}

TEST_CASE("faults of data show at the next read, with the number of their update")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_NHW));
    const std::vector<double> x(24, 0.5);
    std::vector<double> good(24, 0.25);
    std::vector<double> nan = good;
    nan[13] = nan[15] = nan[20] = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> far = good;
    far[17] = -1.7e308;
    std::vector<double> farther(24, 1.7e308);
    std::vector<float> weights(24, 1.0f);
    std::vector<float> bad = weights;
    bad[3] = -0.5f;
    std::vector<float> zeros = weights;
    std::fill(zeros.begin() + 12, zeros.begin() + 18, 0.0f);
    const auto add = [&](const std::vector<double> &reference, const std::vector<double> &candidate,
                         const std::vector<float> &weight) {
        const device_tensor of_weights(weight.data(), IQA_FLOAT32, {4, 2, 3});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.weights = of_weights;
        REQUIRE(iqa_metric_update(metric.get(), device_tensor(reference.data(), IQA_FLOAT64, {4, 2, 3}),
                                  device_tensor(candidate.data(), IQA_FLOAT64, {4, 2, 3}), &extras) == IQA_OK);
    };
    double value = 0;
    const auto check = [&](const std::string &text) {
        CHECK(iqa_metric_compute(metric.get(), &value) == IQA_ERROR_NUMERIC);
        CHECK(last_error(context).find(text) != std::string::npos);
        CAPTURE(last_error(context));
        CHECK(iqa_metric_read(metric.get(), IQA_FIELD_MSE, &value, 1, nullptr) == IQA_OK); // the fault is reported once
        CHECK(value == 0.0625);
    };
    add(x, good, weights);
    add(x, nan, weights);
    add(x, good, bad); // the first fault is kept
    add(x, good, weights);
    check("update 2 on the CUDA device: the images have 3 non-finite samples, the first in image 2");
    CHECK(read(metric, IQA_FIELD_IMAGES) == 8);
    CHECK(read(metric, IQA_FIELD_NONFINITE) == 0);
    add(x, good, bad);
    check("update 5 on the CUDA device: weights has values that are not from 0 to 1");
    add(farther, far, weights);
    check("update 6 on the CUDA device: image 2: two samples differ by more than a double can hold");
    add(x, good, zeros);
    check("update 7 on the CUDA device: every sample of image 2 is masked");
    CHECK(read(metric, IQA_FIELD_IMAGES) == 8);
}

TEST_CASE("a warm update is two launches, three for floating-point types, two more with gradients")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    const context_pointer context = make_context(1);
    const std::vector<double> memory(3 * 20 * 30);
    std::vector<double> gradient(memory.size());
    for (const int type : {IQA_UINT8, IQA_INT16, IQA_FLOAT32, IQA_FLOAT64})
        for (const bool differentiated : {false, true}) {
            const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_CHW));
            const device_tensor image(memory.data(), type, {3, 20, 30});
            const device_tensor output(gradient.data(), IQA_FLOAT64, {3, 20, 30});
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.candidate_gradient = differentiated ? output.operator const iqa_tensor *() : nullptr;
            REQUIRE(iqa_metric_update(metric.get(), image, image, &extras) == IQA_OK);
            const machine_counts before = machine.counts;
            REQUIRE(iqa_metric_update(metric.get(), image, image, &extras) == IQA_OK);
            const bool integer = type == IQA_UINT8 || type == IQA_INT16;
            CHECK(machine.counts.launches - before.launches == (integer ? 2 : 3) + (differentiated ? 2 : 0));
            CHECK(machine.counts.clears == before.clears);
        }
}

TEST_CASE("what belongs to the images must be on their device")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    machine.devices = 2;
    const context_pointer context = make_context(1);
    const metric_pointer metric = make_psnr(context, options_for(IQA_LAYOUT_HW));
    std::vector<double> memory(600, 1.0);
    const auto check = [&](auto member, const char *name, std::vector<int64_t> shape) {
        const device_tensor image(memory.data(), IQA_FLOAT64, {20, 30});
        for (const bool of_cpu : {false, true}) {
            device_tensor other(memory.data(), IQA_FLOAT64, shape);
            if (of_cpu)
                other.view.device_type = IQA_CPU;
            else
                other.view.device_id = 1;
            iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
            extras.*member = other;
            CHECK(iqa_metric_update(metric.get(), image, image, &extras) == IQA_ERROR_DEVICE);
            CHECK(last_error(context).find(std::string(name) + " is on device ") != std::string::npos);
        }
    };
    check(&iqa_update_extras::weights, "weights", {20, 30});
    check(&iqa_update_extras::per_image, "per_image", {1});
    check(&iqa_update_extras::per_channel, "per_channel", {1, 1});
    check(&iqa_update_extras::candidate_gradient, "candidate_gradient", {20, 30});
    check(&iqa_update_extras::reference_gradient, "reference_gradient", {20, 30});
    CHECK(read(metric, IQA_FIELD_IMAGES) == 0);
    machine.reset();
}

TEMPLATE_TEST_CASE("counts of samples as on the CPU", "", uint8_t, int16_t, iqa::float16, float, double)
{
    auto &machine = sequential_machine::get();
    machine.reset();
    machine.at_once = true;
    machine.order = GENERATE(thread_order::forward, thread_order::shuffled);
    const context_pointer context = make_context(1);
    const place extents = {3, 3, 1, 40, 171};
    random_numbers random(5);
    volume<TestType> x(IQA_LAYOUT_NHWC, extents);
    volume<TestType> y = x;
    volume<float> weights(IQA_LAYOUT_NHWC, extents);
    x.fill([&](const place &) { return random.below(120); });
    y.fill([&](const place &) { return random.below(120); });
    weights.fill([&](const place &) { return random.below(3) == 0 ? 0.0 : random.uniform() * 1e-8; });
    if constexpr (sizeof(TestType) > 2)
        for (size_t i = 0; i < x.data.size(); i += 97)
            (i % 2 == 0 ? x : y).data[i] = std::numeric_limits<TestType>::infinity();
    const tensor tx = x.view();
    const tensor ty = y.view();
    for (const bool weighted : {false, true})
        for (const bool masked : {false, true})
            for (const double bad : {0.5, 1.5}) {
                weights.data[4000] = float(bad);
                const tensor tw = weights.view();
                iqa::count_request request{};
                request.images = iqa::view_images(tx, ty, IQA_LAYOUT_NHWC);
                if (weighted)
                    request.weights = iqa::view_weights(tw, request.images.reference, IQA_LAYOUT_NHWC, false);
                request.range = {10, 100};
                request.mask_nonfinite = masked;
                iqa::sample_counts expected[3];
                iqa::sample_counts found[3];
                iqa::fault reports[2] = {};
                request.counts = expected;
                request.report = &reports[0];
                iqa::cpu_count(*context, request);
                request.counts = found;
                request.report = &reports[1];
                iqa::cuda::count(*context, request);
                CHECK(reports[0].kind == reports[1].kind);
                CHECK((reports[0].kind == iqa::fault_kind::weights) == (weighted && bad > 1));
                if (reports[0].kind != iqa::fault_kind::none)
                    continue;
                for (int image = 0; image < 3; ++image) {
                    CHECK(expected[image].outside == found[image].outside);
                    CHECK(expected[image].nonfinite == found[image].nonfinite);
                    CHECK(expected[image].outside > 0);
                }
            }
    machine.reset();
}

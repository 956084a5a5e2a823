// SPDX-License-Identifier: MIT
// Faults of confusion counts on a device: texts and time; and tables that do not fit shared memory.
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/confusion.hpp"

using namespace test;
using Catch::Matchers::Contains;

namespace {

using labels = std::vector<int32_t>;

// Tensors on the device that live as long as the test.
struct device_labels {
    std::vector<labels> kept;
    std::vector<std::unique_ptr<device_tensor>> tensors;

    const tensor &operator()(labels values, std::vector<int64_t> shape)
    {
        kept.reserve(100);
        kept.push_back(std::move(values));
        tensors.push_back(std::make_unique<device_tensor>(kept.back().data(), IQA_INT32, std::move(shape)));
        return *tensors.back();
    }
};

iqa_status settle(confusion &m)
{
    size_t count = 0;
    return m.status = iqa_metric_lanes(m.metric().get(), nullptr, 0, &count);
}

} // namespace

TEST_CASE("the first fault is told at the next read, with its update, place and label; the others count")
{
    sequential_machine::get().reset();
    device_labels on_device;
    confusion m(counting(3));
    const labels good{0, 1, 2, 0, 1, 2};
    m.add(on_device(good, {2, 3}), on_device(good, {2, 3}));
    m.add(on_device(good, {2, 3}), on_device({0, 1, 2, 0, 7, -5}, {2, 3}));
    m.add(on_device({0, 1, 2, 0, 1, 9}, {2, 3}), on_device(good, {2, 3}));
    m.add(on_device(good, {2, 3}), on_device(good, {2, 3}));
    REQUIRE(m.status == IQA_OK);
    CHECK(settle(m) == IQA_ERROR_NUMERIC);
    CHECK(m.text() ==
          "update 2 on the CUDA device: 2 elements have a label outside 0 ... 2, the first in the candidate "
          "at [1, 1]: 7; set ignore_label to drop it, or out_of_range to count such elements as invalid");
    CHECK(settle(m) == IQA_OK);
    CHECK(m.matrix() == std::vector<double>{4, 0, 0, 0, 4, 0, 0, 0, 4});
    CHECK(m.field(IQA_FIELD_CONFUSION_ELEMENTS) == std::vector<double>{12});

    // The shape of an update is known after more updates of that shape.
    confusion first(counting(3));
    first.add(on_device({0, 1, 2, 0, 1, 9}, {2, 3}), on_device(good, {2, 3}));
    first.add(on_device(good, {2, 3}), on_device(good, {2, 3}));
    CHECK(settle(first) == IQA_ERROR_NUMERIC);
    CHECK_THAT(first.text(), Contains("first in the reference at [1, 2]: 9;"));

    // The same labels as on the CPU. If the shape is no longer known, the position is one number.
    m.add(on_device({0, 1, 2, 0, 1, 9}, {2, 3}), on_device(good, {2, 3}));
    m.add(on_device(good, {6}), on_device(good, {6}));
    CHECK(settle(m) == IQA_ERROR_NUMERIC);
    CHECK_THAT(m.text(), Contains("update 5 on the CUDA device: 1 element has") &&
                             Contains("first in the reference at position 5 in row-major order: 9;"));
    CHECK(settle(m) == IQA_OK);
    CHECK(m.field(IQA_FIELD_CONFUSION_ELEMENTS) == std::vector<double>{18});
}

TEST_CASE("a weight without exact sums is told like that")
{
    sequential_machine::get().reset();
    device_labels on_device;
    confusion m(counting(3, [](auto &o) { o.weighted = 1; }));
    const std::vector<double> values{1, 0.5, -1, 1, no_number, 1};
    const device_tensor weights(values.data(), IQA_FLOAT64, {2, 3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = weights;
    const labels x{0, 1, 2, 0, 1, 9}; // the fault of the weight comes first, as on the CPU
    m.add(on_device(x, {2, 3}), on_device(x, {2, 3}), &extras);
    REQUIRE(m.status == IQA_OK);
    CHECK(settle(m) == IQA_ERROR_NUMERIC);
    CHECK(m.text() ==
          "update 1 on the CUDA device: the weight at [0, 2] is not one whose sums are exact; expected 0, or "
          "2^-76 to 2^64");
    CHECK(settle(m) == IQA_OK);
    CHECK(m.matrix() == std::vector<double>(9));
}

TEST_CASE("tensors of an update are on one device")
{
    sequential_machine::get().reset();
    sequential_machine::get().devices = 2;
    device_labels on_device;
    confusion m(counting(3, [](auto &o) { o.weighted = 1; }));
    const labels x{0, 1, 2};
    const std::vector<double> values(3, 1.0);
    tensor weights(values.data(), IQA_FLOAT64, {3});
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.weights = weights;
    m.add(on_device(x, {3}), on_device(x, {3}), &extras);
    CHECK(m.status == IQA_ERROR_DEVICE);
    CHECK_THAT(m.text(), Contains("weights is on device 1:0 but reference is on 2:0"));
    weights.view.device_type = IQA_CUDA;
    weights.view.device_id = 1;
    m.add(on_device(x, {3}), on_device(x, {3}), &extras);
    CHECK(m.status == IQA_ERROR_DEVICE);
    weights.view.device_id = 0;
    extras.counts = weights;
    m.add(on_device(x, {3}), on_device(x, {3}), &extras);
    CHECK(m.status == IQA_ERROR_SHAPE);
    extras.counts = nullptr;
    m.add(on_device(x, {3}), on_device(x, {3}), &extras);
    CHECK(m.status == IQA_OK);
    CHECK(m.matrix() == std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1});
}

TEST_CASE("whatever memory a block has, the counts are the same")
{
    auto &machine = sequential_machine::get();
    device_labels on_device;
    random_numbers random(77);
    labels x;
    labels y;
    for (int i = 0; i < 70000; ++i) {
        x.push_back(int32_t(i / 50 % 24));
        y.push_back(int32_t(random.below(4) == 0 ? random.below(25) : x.back()));
    }
    const auto options = counting(24, [](auto &o) { o.out_of_range = IQA_OUT_OF_RANGE_WRONG; });
    std::vector<unsigned char> expected;
    for (const int kilobytes : {227, 99, 64, 20, 8, 4, 2}) {
        CAPTURE(kilobytes);
        machine.reset();
        machine.shared_bytes = kilobytes * 1024;
        confusion m(options);
        m.add(on_device(x, {7, 10000}), on_device(y, {7, 10000}));
        REQUIRE(settle(m) == IQA_OK);
        if (expected.empty())
            expected = bytes_of(m.metric());
        CHECK((bytes_of(m.metric()) == expected));
    }
}

TEST_CASE("an update is two launches; with weights three, and one more for samples")
{
    auto &machine = sequential_machine::get();
    device_labels on_device;
    const auto launches = [&](const iqa_confusion_options &options) {
        machine.reset();
        confusion m(options);
        const labels x(5000, 1);
        const tensor &reference = on_device(x, {5, 1000});
        const std::vector<double> values(5000, 0.5);
        const device_tensor weights(values.data(), IQA_FLOAT64, {5, 1000});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        if (options.weighted != 0)
            extras.weights = weights;
        m.add(reference, reference, &extras);
        REQUIRE(m.status == IQA_OK);
        machine.run_queue();
        return machine.counts.launches;
    };
    CHECK(launches(counting(19)) == 2);
    CHECK(launches(counting(2000)) == 2);
    CHECK(launches(counting(19, [](auto &o) { o.weighted = 1; })) == 3);
    CHECK(launches(counting(19, [](auto &o) { o.batched = 1, o.keep_samples = 1; })) == 3);
}

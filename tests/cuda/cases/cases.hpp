// SPDX-License-Identifier: MIT
// Cases that run on the CPU and on a CUDA device, and must leave the same bytes of state and outputs.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/network.hpp"
#include "support/support.hpp"

namespace test {

// A tensor of a case: its bytes, and the layout of its elements.
struct case_tensor {
    std::vector<std::byte> bytes; // empty: no tensor
    int dtype = IQA_FLOAT32;
    std::vector<int64_t> shape, strides; // strides empty: compact
    uint64_t byte_offset = 0;            // of the element at index 0, which is not the first with negative strides
};

// One update: inputs, and outputs, whose bytes are poisoned first.
struct case_update {
    case_tensor reference, candidate, weights;
    case_tensor per_image, per_channel, map, counts, reference_gradient, candidate_gradient;
};

struct device_case {
    std::string name;
    std::function<metric_pointer(const context_pointer &)> make;
    std::vector<case_update> updates;
};

// The results of a case.
struct case_outcome {
    std::vector<iqa_status> statuses;            // of the updates
    iqa_status status = IQA_OK;                  // of the state
    std::vector<unsigned char> state;            // serialised
    std::vector<std::vector<std::byte>> outputs; // of all updates
    std::string error;
    bool operator==(const case_outcome &) const = default;
};

// A case while it runs.
class running_case {
public:
    running_case(const device_case &each, bool on_device);
    ~running_case();

    // Runs an update with new tensors. They live as long as the case, since a device may be behind.
    iqa_status update(size_t index);
    // Runs the latest update again, with the same tensors.
    iqa_status repeat();
    // Fetches the state. On failure it stays empty.
    iqa_status state(std::vector<unsigned char> &bytes) const;
    std::vector<std::vector<std::byte>> outputs();
    double read(int field) const { return test::read(metric_, field); }
    std::string error() const { return last_error(context_); }
    bool is_made() const { return metric_ != nullptr; }

private:
    const device_case &each_;
    bool on_device_;
    context_pointer context_;
    metric_pointer metric_;
    std::vector<std::unique_ptr<struct placed_update>> placed_;
};

case_outcome run_case(const device_case &each, bool on_device);

// A dense tensor with the values of a function of the index.
template <class Sample>
case_tensor dense(std::vector<int64_t> shape, const std::function<double(int64_t)> &value)
{
    int64_t count = 1;
    for (const int64_t extent : shape)
        count *= extent;
    std::vector<Sample> samples;
    for (int64_t i = 0; i < count; ++i)
        samples.push_back(sample_from<Sample>(value(i)));
    case_tensor result;
    result.bytes.resize(samples.size() * sizeof(Sample));
    std::memcpy(result.bytes.data(), samples.data(), result.bytes.size());
    result.dtype = dtype_of<Sample>::value;
    result.shape = std::move(shape);
    return result;
}

// A poisoned output.
case_tensor output(std::vector<int64_t> shape, int dtype = IQA_FLOAT64);

// `few`: a short selection, for slow checks of memory and races.
std::vector<device_case> ssim_cases(bool few);
std::vector<device_case> psnr_cases(bool few);
std::vector<device_case> errors_cases(bool few);
std::vector<device_case> confusion_cases(bool few);
std::vector<device_case> fid_cases(bool few);

// More parts than a device takes at once: each of `blocks` blocks takes two more, of other extents.
std::vector<device_case> cases_of_many_parts(int64_t blocks);

// KID, PRDC and the Inception Score are calls over tables.
constexpr size_t most_table_values = 8;
struct table_case {
    std::string name;
    std::function<iqa_status(iqa_context *context, const iqa_tensor *reference, const iqa_tensor *candidate,
                             double *values)>
        measure;
    case_tensor reference, candidate; // the Inception Score has only the first
};
struct table_outcome {
    iqa_status status = IQA_OK;
    std::string error; // the same text for tables on either device
    uint64_t bits[most_table_values] = {};
    bool operator==(const table_outcome &) const = default;
};
std::vector<table_case> table_cases(bool few);
table_outcome run_case(const table_case &each, bool on_device);

// A network's steps between maps, whose places are numbers of floats into one block, as those of weights are.
struct network_case {
    struct step {
        iqa::step_kind kind;
        int from, to; // maps
        int channel, channels;
        iqa::window reach;
        int64_t weights, bias;
        bool rectify;
    };
    std::string name;
    case_tensor pictures;
    int32_t layout, resize;
    std::vector<iqa::feature_map> maps; // the first one is the input
    std::vector<int64_t> map_starts;
    int64_t map_floats = 0;
    std::vector<float> weights;
    std::vector<step> steps;
    std::vector<int> outputs; // maps of one pixel
};
struct network_outcome {
    std::vector<int64_t> faults;                  // the first picture; output, picture, feature and value
    std::vector<std::vector<std::byte>> contents; // of all maps and outputs, without a fault
    bool operator==(const network_outcome &) const = default;
};
std::vector<network_case> network_cases(bool few);
std::vector<network_case> network_cases_of(int64_t pictures); // with the same weights for any number
network_outcome run_case(const network_case &each, bool on_device, const context_pointer &context = make_context(2));

// FID of a set of `rows` rows and one of half as many. From 256 features on the device computes the trace term.
struct fid_outcome {
    std::vector<unsigned char> state;
    std::vector<double> parts; // value, trace term, ranks
    bool operator==(const fid_outcome &) const = default;
};
fid_outcome run_fid(int64_t features, int64_t rows, bool on_device);

} // namespace test

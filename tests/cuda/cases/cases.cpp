// SPDX-License-Identifier: MIT
#include "cuda/cases/cases.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "cuda/places/place.hpp"

namespace test {

namespace {

constexpr int poison = 0x5a;

// A tensor of a case, on the CPU or on the device.
class placed_tensor {
public:
    placed_tensor(const case_tensor &from, bool on_device) : on_device_(on_device), bytes_(from.bytes)
    {
        if (bytes_.empty())
            return;
        view_ = iqa_cpu_tensor(bytes_.data(), from.dtype, int32_t(from.shape.size()), from.shape.data());
        view_.strides = from.strides.empty() ? nullptr : from.strides.data();
        view_.byte_offset = from.byte_offset;
        if (!on_device)
            return;
        device_ = place::take(bytes_.size());
        place::to_device(device_, bytes_.data(), bytes_.size());
        view_.data = device_;
        view_.device_type = IQA_CUDA;
    }
    placed_tensor(const placed_tensor &) = delete;
    placed_tensor &operator=(const placed_tensor &) = delete;
    ~placed_tensor()
    {
        if (device_ != nullptr)
            place::give_back(device_);
    }

    const iqa_tensor *get() const { return bytes_.empty() ? nullptr : &view_; }

    std::vector<std::byte> content()
    {
        if (on_device_ && !bytes_.empty())
            place::to_host(bytes_.data(), device_, bytes_.size());
        return bytes_;
    }

private:
    bool on_device_;
    std::vector<std::byte> bytes_;
    void *device_ = nullptr;
    iqa_tensor view_{};
};

} // namespace

// The tensors of an update, which live until the device has finished it.
struct placed_update {
    placed_tensor reference, candidate, weights;
    placed_tensor per_image, per_channel, map, counts, reference_gradient, candidate_gradient;

    placed_update(const case_update &from, bool on_device)
        : reference(from.reference, on_device),
          candidate(from.candidate, on_device),
          weights(from.weights, on_device),
          per_image(from.per_image, on_device),
          per_channel(from.per_channel, on_device),
          map(from.map, on_device),
          counts(from.counts, on_device),
          reference_gradient(from.reference_gradient, on_device),
          candidate_gradient(from.candidate_gradient, on_device)
    {
    }

    iqa_status run(const metric_pointer &metric) const
    {
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.weights = weights.get();
        extras.per_image = per_image.get();
        extras.per_channel = per_channel.get();
        extras.map = map.get();
        extras.counts = counts.get();
        extras.reference_gradient = reference_gradient.get();
        extras.candidate_gradient = candidate_gradient.get();
        return iqa_metric_update(metric.get(), reference.get(), candidate.get(), &extras);
    }
};

case_tensor output(std::vector<int64_t> shape, int dtype)
{
    size_t count = 1;
    for (const int64_t extent : shape)
        count *= size_t(extent);
    case_tensor result;
    result.bytes.assign(count * (dtype == IQA_FLOAT32 ? 4 : 8), std::byte{poison});
    result.dtype = dtype;
    result.shape = std::move(shape);
    return result;
}

running_case::running_case(const device_case &each, bool on_device)
    : each_(each), on_device_(on_device), context_(make_context(1)), metric_(each.make(context_))
{
}

running_case::~running_case()
{
    if (on_device_)
        place::wait(); // the device may still use the tensors
}

iqa_status running_case::update(size_t index)
{
    placed_.push_back(std::make_unique<placed_update>(each_.updates[index], on_device_));
    return repeat();
}

iqa_status running_case::repeat()
{
    return placed_.back()->run(metric_);
}

iqa_status running_case::state(std::vector<unsigned char> &bytes) const
{
    size_t size = 0;
    iqa_status status = iqa_metric_serialize(metric_.get(), nullptr, 0, &size);
    bytes.resize(status == IQA_OK ? size : 0);
    if (status == IQA_OK)
        status = iqa_metric_serialize(metric_.get(), bytes.data(), size, nullptr);
    return status;
}

std::vector<std::vector<std::byte>> running_case::outputs()
{
    std::vector<std::vector<std::byte>> contents;
    for (const auto &update : placed_)
        for (placed_tensor *tensor : {&update->per_image, &update->per_channel, &update->map, &update->counts,
                                      &update->reference_gradient, &update->candidate_gradient})
            contents.push_back(tensor->content());
    return contents;
}

case_outcome run_case(const device_case &each, bool on_device)
{
    running_case run(each, on_device);
    case_outcome outcome;
    for (size_t i = 0; i < each.updates.size(); ++i) {
        outcome.statuses.push_back(run.update(i));
        if (outcome.statuses.back() != IQA_OK)
            outcome.error = run.error();
    }
    outcome.status = run.state(outcome.state);
    if (outcome.status != IQA_OK) {
        outcome.error = run.error();
        run.state(outcome.state); // a fault is reported once
    }
    outcome.outputs = run.outputs();
    return outcome;
}

table_outcome run_case(const table_case &each, bool on_device)
{
    const context_pointer context = make_context(2);
    const placed_tensor reference(each.reference, on_device);
    const placed_tensor candidate(each.candidate, on_device);
    double values[most_table_values];
    std::fill_n(values, most_table_values, -12345.0);
    table_outcome outcome;
    outcome.status = each.measure(context.get(), reference.get(), candidate.get(), values);
    outcome.error = last_error(context);
    for (size_t i = 0; i < most_table_values; ++i)
        outcome.bits[i] = iqa::bits_of(values[i]);
    return outcome;
}

} // namespace test

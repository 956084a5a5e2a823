// SPDX-License-Identifier: MIT
#include "metrics/metric.hpp"

#include <algorithm>
#include <utility>

#include "backend/backend.hpp"

namespace {

// The first lane from `lane` on that is not 0, or the number of lanes.
size_t next_change(std::span<const int64_t> addend, size_t lane)
{
    constexpr size_t step = 8;
    for (; lane + step <= addend.size(); lane += step) {
        int64_t bits = 0;
        for (size_t i = 0; i < step; ++i)
            bits |= addend[lane + i];
        if (bits != 0)
            break;
    }
    while (lane < addend.size() && addend[lane] == 0)
        ++lane;
    return lane;
}

} // namespace

iqa_metric::iqa_metric(iqa::context &owner, iqa::metric_kind kind, std::span<const std::byte> options,
                       std::span<int64_t> lanes, std::span<const iqa::exact_field> fields) noexcept
    : owner_(owner), kind_(kind), options_(options), lanes_(lanes), fields_(fields)
{
}

iqa_metric::~iqa_metric()
{
    if (ledger_ != nullptr)
        ledger_->close();
}

iqa_metric::update_target::update_target(iqa_metric &metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                                         const iqa_update_extras &extras, bool accumulates)
    : device(iqa::backend_of(reference, candidate)),
      ledger(metric.ledger_for(device, (reference != nullptr ? reference : candidate)->device_id, accumulates))
{
    if (ledger == nullptr)
        return;
    const std::pair<const char *, const iqa_tensor *> tensors[] = {
        {"reference", reference},
        {"candidate", candidate},
        {"weights", extras.weights},
        {"per_image", extras.per_image},
        {"per_channel", extras.per_channel},
        {"map", extras.map},
        {"counts", extras.counts},
        {"candidate_gradient", extras.candidate_gradient},
        {"reference_gradient", extras.reference_gradient},
    };
    for (const auto &[name, tensor] : tensors)
        if (tensor != nullptr)
            ledger->check_place(name, *tensor);
    ledger->begin();
}

iqa_metric::update_target::~update_target()
{
    if (ledger != nullptr)
        ledger->end(finished_);
}

// A metric works on one device at a time, that of the tensors.
iqa::device_ledger *iqa_metric::ledger_for(const iqa::backend &device, int32_t device_id, bool accumulates)
{
    if (device.open == nullptr)
        return nullptr;
    if (ledger_ != nullptr && !ledger_->serves(device_id)) {
        if (ledger_->serves_graphs())
            iqa::fail(IQA_ERROR_DEVICE, "the tensors are on CUDA device ", device_id,
                      ", but an update of this metric on another device was captured into a graph, which may still be "
                      "launched; use a metric of its own for each device");
        settle();
        leave_device();
        ledger_->close();
        ledger_ = nullptr;
    }
    if (ledger_ == nullptr)
        ledger_ = device.open(owner_, device_id, lanes_.size(), accumulates);
    return ledger_;
}

void iqa_metric::settle() const
{
    const std::optional<iqa::settlement> found = ledger_ != nullptr ? ledger_->settle() : std::nullopt;
    if (!found)
        return;
    lanes_changed();
    check_room(found->addend, IQA_ERROR_NUMERIC);
    commit(found->addend);
    if (found->first.kind != iqa::fault_kind::none)
        raise(found->first);
}

void iqa_metric::raise(const iqa::fault &found) const
{
    iqa::fail(IQA_ERROR_INTERNAL, "update ", found.update, " on the device ended with the fault ",
              static_cast<int32_t>(found.kind));
}

void iqa_metric::destroy(iqa_metric *metric) noexcept
{
    if (metric == nullptr)
        return;
    iqa::context &owner = metric->owner_;
    const size_t size = metric->size_;
    metric->~iqa_metric();
    owner.deallocate(metric, size);
    owner.release();
}

void iqa_metric::carry(std::span<int64_t> lanes) const noexcept
{
    for (const iqa::exact_field &field : fields_)
        for (int i = 0; i < field.count; ++i)
            iqa::exact_carry(field.format, lanes.data() + field.first + i * int64_t(field.format.digits));
}

void iqa_metric::commit(std::span<const int64_t> addend) const noexcept
{
    for (size_t i = 0; i < lanes_.size(); ++i)
        lanes_[i] += addend[i];
    carry(lanes_);
}

void iqa_metric::place_lanes(std::span<int64_t> lanes, std::span<const iqa::exact_field> fields,
                             int64_t largest_count) noexcept
{
    lanes_ = lanes;
    fields_ = fields;
    largest_count_ = largest_count;
}

// The valid range of a lane, so that no later addition can overflow: counts are never negative, digits leave room for
// carries, and updates alone cannot reach a refused value.
iqa_metric::lane_range iqa_metric::range_of(size_t lane) const noexcept
{
    constexpr int64_t most_of_a_digit = INT64_MAX - (int64_t(1) << 32);
    for (const iqa::exact_field &field : fields_) {
        const size_t digits = size_t(field.format.digits);
        const size_t digit = lane - size_t(field.first); // wraps around for a lane before the field
        if (digit >= digits * size_t(field.count))
            continue;
        if (digit % digits != digits - 1)
            return {-most_of_a_digit, most_of_a_digit, true};
        return {-most_of_a_lane, most_of_a_lane, false};
    }
    return {0, largest_count_, false};
}

void iqa_metric::lane_range::check(size_t lane, int64_t value, iqa_status otherwise) const
{
    if (value < lowest && lowest == 0)
        iqa::fail(otherwise, "lane ", lane, " is ", value, "; a count is never negative");
    if (value < lowest || value > highest)
        iqa::fail(otherwise, "lane ", lane, " is ", value, "; more than any state can have");
}

bool iqa_metric::has_data() const noexcept
{
    int64_t bits = 0;
    for (const int64_t lane : lanes_)
        bits |= lane;
    return bits != 0;
}

void iqa_metric::reset()
{
    if (ledger_ != nullptr)
        ledger_->discard();
    std::fill(lanes_.begin(), lanes_.end(), 0);
    lanes_changed();
}

void iqa_metric::merge(const iqa_metric &from)
{
    if (kind_ != from.kind_)
        iqa::fail(IQA_ERROR_INCOMPATIBLE, "the metrics are of different kinds");
    if (!std::equal(options_.begin(), options_.end(), from.options_.begin(), from.options_.end()))
        refuse_options(from);
    add_lanes(from.lanes_);
}

void iqa_metric::refuse_options(const iqa_metric &) const
{
    iqa::fail(IQA_ERROR_INCOMPATIBLE, "the metrics were created with different options");
}

// Digits are checked with their coming carries. A lane that stays as it is has been checked before: most of the digits
// of long sums do.
void iqa_metric::check_room(std::span<const int64_t> addend, iqa_status otherwise) const
{
    int64_t carry = 0;
    for (size_t i = next_change(addend, 0); i < lanes_.size(); i = carry != 0 ? i + 1 : next_change(addend, i + 1)) {
        int64_t sum = 0;
        if (__builtin_add_overflow(lanes_[i], addend[i], &sum))
            iqa::fail(otherwise, "lane ", i, " overflows: ", lanes_[i], " + ", addend[i]);
        const lane_range range = range_of(i);
        range.check(i, sum, otherwise);
        sum += carry;
        if (!range.carries)
            range.check(i, sum, otherwise);
        carry = range.carries ? sum >> 32 : 0;
    }
}

void iqa_metric::add_lanes(std::span<const int64_t> lanes)
{
    if (lanes.size() != lanes_.size())
        iqa::fail(IQA_ERROR_INCOMPATIBLE, lanes.size(), " lanes were given; this metric has ", lanes_.size());
    for (size_t i = 0; i < lanes_.size(); ++i)
        range_of(i).check(i, lanes[i], IQA_ERROR_INCOMPATIBLE);
    check_together(lanes, IQA_ERROR_INCOMPATIBLE);
    check_room(lanes, IQA_ERROR_INCOMPATIBLE);
    commit(lanes);
    lanes_changed();
}

void iqa_metric::load_lanes(iqa::byte_reader bytes)
{
    if (bytes.remaining() != lanes_.size() * sizeof(int64_t))
        iqa::fail(IQA_ERROR_CORRUPT, "the state has ", bytes.remaining() / sizeof(int64_t), " lanes; its metric has ",
                  lanes_.size());
    load_some(0, lanes_.size(), bytes);
}

void iqa_metric::load_some(size_t first, size_t count, iqa::byte_reader &bytes)
{
    for (size_t i = first; i < first + count; ++i) {
        lanes_[i] = bytes.get<int64_t>();
        range_of(i).check(i, lanes_[i], IQA_ERROR_CORRUPT);
    }
    carry(lanes_);
    for (size_t i = 0; i < lanes_.size(); ++i)
        range_of(i).check(i, lanes_[i], IQA_ERROR_CORRUPT);
    check_together(lanes_, IQA_ERROR_CORRUPT);
    lanes_changed();
}

size_t iqa_metric::serialized_size() const noexcept
{
    return iqa::state_size(options_.size(), lanes_.size());
}

void iqa_metric::serialize(std::span<std::byte> out) const noexcept
{
    iqa::write_state(out, uint16_t(kind_), options_, lanes_);
}

// SPDX-License-Identifier: MIT
#include "core/metric.hpp"

#include <algorithm>

iqa_metric::iqa_metric(iqa::context &owner, iqa::metric_kind kind, std::span<const std::byte> options,
                       std::span<int64_t> lanes, std::span<const iqa::exact_field> fields) noexcept
    : owner_(owner), kind_(kind), options_(options), lanes_(lanes), fields_(fields)
{
}

iqa_metric::~iqa_metric() = default;

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

void iqa_metric::commit(std::span<const int64_t> addend) noexcept
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

// The lanes outside the fixed-point numbers are counts: never negative, and not beyond what the metric can hold.
void iqa_metric::check_counts(std::span<const int64_t> present, std::span<const int64_t> addend,
                              iqa_status otherwise) const
{
    size_t next = 0;
    const auto check_to = [&](size_t end) {
        for (; next < end; ++next) {
            if (addend[next] < 0)
                iqa::fail(otherwise, "lane ", next, " is ", addend[next], "; a count is never negative");
            const int64_t before = present.empty() ? 0 : present[next];
            if (addend[next] > largest_count_ - before)
                iqa::fail(otherwise, "lane ", next, " would be ", before, " + ", addend[next],
                          "; the metric counts to ", largest_count_);
        }
    };
    for (const iqa::exact_field &field : fields_) {
        check_to(size_t(field.first));
        next = size_t(field.first) + size_t(field.format.digits) * size_t(field.count);
    }
    check_to(addend.size());
}

void iqa_metric::reset() noexcept
{
    std::fill(lanes_.begin(), lanes_.end(), 0);
    lanes_changed();
}

void iqa_metric::merge(const iqa_metric &from)
{
    if (kind_ != from.kind_)
        iqa::fail(IQA_ERROR_INCOMPATIBLE, "the metrics are of different kinds");
    if (!std::equal(options_.begin(), options_.end(), from.options_.begin(), from.options_.end()))
        iqa::fail(IQA_ERROR_INCOMPATIBLE, "the metrics were created with different options");
    add_lanes(from.lanes_);
}

void iqa_metric::add_lanes(std::span<const int64_t> lanes)
{
    if (lanes.size() != lanes_.size())
        iqa::fail(IQA_ERROR_INCOMPATIBLE, lanes.size(), " lanes were given; this metric has ", lanes_.size());
    check_counts(lanes_, lanes, IQA_ERROR_INCOMPATIBLE);
    // Room for the carries that follow the addition.
    constexpr int64_t limit = INT64_MAX - (int64_t(1) << 32);
    for (size_t i = 0; i < lanes_.size(); ++i) {
        int64_t sum = 0;
        if (__builtin_add_overflow(lanes_[i], lanes[i], &sum) || sum > limit || sum < -limit)
            iqa::fail(IQA_ERROR_INCOMPATIBLE, "lane ", i, " overflows: ", lanes_[i], " + ", lanes[i]);
    }
    commit(lanes);
    lanes_changed();
}

void iqa_metric::load_lanes(iqa::byte_reader bytes)
{
    if (bytes.remaining() != lanes_.size() * sizeof(int64_t))
        iqa::fail(IQA_ERROR_CORRUPT, "the state has ", bytes.remaining() / sizeof(int64_t), " lanes; its metric has ",
                  lanes_.size());
    for (int64_t &lane : lanes_)
        lane = bytes.get<int64_t>();
    check_counts({}, lanes_, IQA_ERROR_CORRUPT);
    carry(lanes_);
    lanes_changed();
}

size_t iqa_metric::serialized_size() const noexcept
{
    return iqa::state_size(options_.size(), lanes_.size());
}

void iqa_metric::serialize(std::span<std::byte> out) const noexcept
{
    iqa::write_state(out, kind_, options_, lanes_);
}

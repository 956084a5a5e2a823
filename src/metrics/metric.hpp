// SPDX-License-Identifier: MIT
// A metric: options that never change after creation, and a state of int64 lanes that add. This class has all verbs
// that only move lanes (reset, merge, lanes in and out, bytes); a metric adds update and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arith/exact_sum.h"
#include "core/context.hpp"
#include "core/device.hpp"
#include "core/state.hpp"

namespace iqa {

enum class metric_kind : uint16_t; // metrics/metrics.hpp

// Consecutive lanes with fixed-point numbers; all other lanes are counts.
struct exact_field {
    int first;
    exact_format format;
    int count = 1;
};

struct backend;

} // namespace iqa

struct iqa_metric {
public:
    iqa_metric(const iqa_metric &) = delete;
    iqa_metric &operator=(const iqa_metric &) = delete;

    virtual void update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras) = 0;

    // Stores the values of a field in `out`, unless that is empty, and returns their number.
    virtual size_t read(int32_t field, std::span<double> out) const = 0;
    // How many values IQA_FIELD_VALUE has, without the work that they take.
    virtual size_t values() const { return 1; }

    bool has_data() const noexcept; // once it is settled
    void reset();
    void merge(const iqa_metric &from);
    void add_lanes(std::span<const int64_t> lanes);
    virtual void load_lanes(iqa::byte_reader bytes); // the metric must have no data yet
    std::span<const int64_t> lanes() const noexcept { return lanes_; }

    // Adds the lanes of updates on a device; waits for its stream. Call it before reading the lanes.
    void settle() const;

    uint64_t fingerprint() const noexcept { return iqa::fingerprint(uint16_t(kind_), options_); }
    size_t serialized_size() const noexcept;
    void serialize(std::span<std::byte> out) const noexcept;

    iqa::context &owner() const noexcept { return owner_; }
    iqa::metric_kind kind() const noexcept { return kind_; }

    // Makes a metric in memory of the context.
    template <class Metric, class... Arguments>
    static Metric *make(iqa::context &owner, const Arguments &...arguments);
    static void destroy(iqa_metric *metric) noexcept;

protected:
    iqa_metric(iqa::context &owner, iqa::metric_kind kind, std::span<const std::byte> options, std::span<int64_t> lanes,
               std::span<const iqa::exact_field> fields) noexcept;
    virtual ~iqa_metric();

    static constexpr int64_t most_of_a_lane = int64_t(1) << 62;

    // Throws if a lane of the sum would leave its valid range.
    void check_room(std::span<const int64_t> addend, iqa_status otherwise) const;

    // Adds lanes that passed check_room(). Cannot fail: call it last.
    void commit(std::span<const int64_t> addend) const noexcept;

    // For a metric whose number of lanes depends on its options. No count may grow beyond `largest_count`.
    void place_lanes(std::span<int64_t> lanes, std::span<const iqa::exact_field> fields,
                     int64_t largest_count) noexcept;

    // For a metric whose options have no fixed size.
    void place_options(std::span<const std::byte> options) noexcept { options_ = options; }

    // Reads the next lanes of a state into `count` lanes from `first` on. The metric must have no data yet.
    void load_some(size_t first, size_t count, iqa::byte_reader &bytes);

    // The device of one update, and its ledger; NULL on the CPU.
    class update_target {
    public:
        // `accumulates`: the update adds to the ledger's addend, which is as long as the lanes.
        update_target(iqa_metric &metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                      const iqa_update_extras &extras, bool accumulates = true);
        update_target(const update_target &) = delete;
        update_target &operator=(const update_target &) = delete;
        ~update_target();

        void finish() noexcept { finished_ = true; } // the whole update is done or enqueued

        const iqa::backend &device;
        iqa::device_ledger *const ledger;

    private:
        bool finished_ = false;
    };

    // Throws for lanes that are each valid, but not together.
    virtual void check_together(std::span<const int64_t>, iqa_status) const {}

    // Throws for a metric of this kind that cannot be merged, since its options are others.
    [[noreturn]] virtual void refuse_options(const iqa_metric &from) const;

    // Called after a verb of this class changed the lanes.
    virtual void lanes_changed() const noexcept {}

    // Called before the ledger closes: its memory must be freed.
    virtual void leave_device() noexcept {}

    // Throws the error that an earlier update on a device left.
    [[noreturn]] virtual void raise(const iqa::fault &found) const;

private:
    struct lane_range {
        int64_t lowest, highest;
        bool carries; // a digit that is not the highest

        // Throws if the lane may not have the value.
        void check(size_t lane, int64_t value, iqa_status otherwise) const;
    };

    iqa::device_ledger *ledger_for(const iqa::backend &device, int32_t device_id, bool accumulates);
    void carry(std::span<int64_t> lanes) const noexcept;
    lane_range range_of(size_t lane) const noexcept;

    iqa::context &owner_;
    iqa::metric_kind kind_;
    std::span<const std::byte> options_;       // bytes of the state file; memory of the metric
    std::span<int64_t> lanes_;                 // likewise
    std::span<const iqa::exact_field> fields_; // the other lanes are counts
    int64_t largest_count_ = most_of_a_lane;
    size_t size_ = 0;
    iqa::device_ledger *ledger_ = nullptr;
};

template <class Metric, class... Arguments>
Metric *iqa_metric::make(iqa::context &owner, const Arguments &...arguments)
{
    void *memory = owner.allocate(sizeof(Metric), "a metric");
    try {
        Metric *metric = new (memory) Metric(owner, arguments...);
        metric->size_ = sizeof(Metric);
        owner.retain(); // not before, since the constructor may throw
        return metric;
    } catch (...) {
        owner.deallocate(memory, sizeof(Metric));
        throw;
    }
}

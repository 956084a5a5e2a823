// SPDX-License-Identifier: MIT
// A metric: options that never change after creation, and a state of int64 lanes that add. Everything that only moves
// lanes about (reset, merge, lanes in and out, bytes) is here once; a metric adds update, compute and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arith/exact_sum.h"
#include "core/context.hpp"
#include "core/device.hpp"
#include "core/state.hpp"

namespace iqa {

// As states have them.
enum class metric_kind : uint16_t { ssim = 1, psnr = 2, errors = 3, fid = 16, confusion = 32 };

// Where a metric's lanes hold fixed-point numbers, one after another, rather than counts.
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

    // The values of a field, at most `field_values` of them, into `out`; their number is returned.
    virtual size_t read(int32_t field, std::span<double> out) const = 0;

    void reset();
    void merge(const iqa_metric &from);
    void add_lanes(std::span<const int64_t> lanes);
    virtual void load_lanes(iqa::byte_reader bytes); // into a metric that has no data yet
    std::span<const int64_t> lanes() const noexcept { return lanes_; }

    // Takes in what updates on a device have added; waits for its stream. Before anything reads the lanes.
    void settle() const;

    uint64_t fingerprint() const noexcept { return iqa::fingerprint(uint16_t(kind_), options_); }
    size_t serialized_size() const noexcept;
    void serialize(std::span<std::byte> out) const noexcept;

    iqa::context &owner() const noexcept { return owner_; }
    iqa::metric_kind kind() const noexcept { return kind_; }

    // Memory of the context with the metric in it.
    template <class Metric, class... Arguments>
    static Metric *make(iqa::context &owner, const Arguments &...arguments);
    static void destroy(iqa_metric *metric) noexcept;

protected:
    iqa_metric(iqa::context &owner, iqa::metric_kind kind, std::span<const std::byte> options, std::span<int64_t> lanes,
               std::span<const iqa::exact_field> fields) noexcept;
    virtual ~iqa_metric();

    static constexpr int64_t most_of_a_lane = int64_t(1) << 62;

    // Fails where the sum would have lanes that no state can have.
    void check_room(std::span<const int64_t> addend, iqa_status otherwise) const;

    // Adds a state's lanes to this one's, which have room for it. Cannot fail: call it last.
    void commit(std::span<const int64_t> addend) const noexcept;

    // For a metric whose number of lanes depends on its options. No count may grow beyond `largest_count`.
    void place_lanes(std::span<int64_t> lanes, std::span<const iqa::exact_field> fields,
                     int64_t largest_count) noexcept;

    // Likewise for a metric whose options have no fixed size.
    void place_options(std::span<const std::byte> options) noexcept { options_ = options; }

    // The next of a state's lanes, into some of a metric that has no data yet.
    void load_some(size_t first, size_t count, iqa::byte_reader &bytes);

    // Where one update runs. On the CPU there is no ledger.
    class update_place {
    public:
        // `accumulates`: the update adds to the ledger's addend, which is as long as the lanes.
        update_place(iqa_metric &metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                     const iqa_update_extras &extras, bool accumulates = true);
        update_place(const update_place &) = delete;
        update_place &operator=(const update_place &) = delete;
        ~update_place();

        void finish() noexcept { finished_ = true; } // all of the update is enqueued, or done

        const iqa::backend &device;
        iqa::device_ledger *const ledger;

    private:
        bool finished_ = false;
    };

    // Fails where lanes, each in its range, are together none that a state or a sum of states can have.
    virtual void check_together(std::span<const int64_t>, iqa_status) const {}

    // The lanes were changed by a verb of this class.
    virtual void lanes_changed() const noexcept {}

    // The ledger ends: memory that came from it must go back.
    virtual void leave_device() noexcept {}

    // Ends a call with the text for what an earlier update on a device found.
    [[noreturn]] virtual void raise(const iqa::fault &found) const;

private:
    struct lane_range {
        int64_t lowest, highest;
        bool carries; // a digit with another one above it
    };

    iqa::device_ledger *ledger_for(const iqa::backend &device, int32_t device_id, bool accumulates);
    void carry(std::span<int64_t> lanes) const noexcept;
    lane_range range_of(size_t lane) const noexcept;
    void check_lane(size_t lane, int64_t value, iqa_status otherwise) const;

    iqa::context &owner_;
    iqa::metric_kind kind_;
    std::span<const std::byte> options_;       // as in the state file; a member of the metric itself
    std::span<int64_t> lanes_;                 // likewise
    std::span<const iqa::exact_field> fields_; // the lanes between them are counts
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
        owner.retain(); // only now: a constructor that throws holds nothing
        return metric;
    } catch (...) {
        owner.deallocate(memory, sizeof(Metric));
        throw;
    }
}

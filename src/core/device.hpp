// SPDX-License-Identifier: MIT
// Updates on a device that works behind the caller's back: they are enqueued and add to lanes there; the metric takes
// the lanes in when somebody asks for its state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/fault.h"
#include "core/memory.hpp"
#include "iqa_c.h"

namespace iqa {

// What updates on a device have come to: sums of lanes without carries, in the ledger's memory until it is called
// again, and the first fault.
struct settlement {
    fault first;
    std::span<const int64_t> addend;
};

// Memory of one device for one metric, the lanes that its updates there have added to, and the first fault.
class device_ledger : public memory_source {
public:
    // Around an update: the device becomes current, then the caller's again. An update that does not end (a call
    // failed) leaves no trace.
    virtual void begin() = 0;
    virtual void end(bool complete) noexcept = 0;

    // What the present update adds to the metric's lanes, and its first fault. Both are all zero when it begins; with
    // a fault nothing is added.
    virtual int64_t *addend() = 0;
    virtual fault *report() = 0;
    // Enqueues the end of the update: the addend is added, or the fault kept, and both are cleared.
    virtual void commit() = 0;

    // The lanes on the device, for those that add where nothing can be at fault any more.
    virtual int64_t *lanes() = 0;

    // Waits for the stream, hands out what the device's lanes hold, and the first fault, once, and clears them. Nothing
    // where no update (also none replayed in a graph) has ended since the last time.
    virtual std::optional<settlement> settle() = 0;
    // Forgets what was added.
    virtual void discard() = 0;

    virtual bool serves(int32_t device_id) const noexcept = 0;
    // An update was captured into a graph, which works with the ledger's memory for as long as it is launched.
    virtual bool serves_graphs() const noexcept = 0;
    // Refuses a tensor of this device whose memory is known to be elsewhere.
    virtual void check_place(const char *name, const iqa_tensor &tensor) const = 0;

    // Ends its life; while the stream is being captured, where memory cannot be given back, only once the context calls
    // again. The context's last call ends it in any case.
    virtual void close(bool last = false) noexcept = 0;

    device_ledger *next_left = nullptr; // in the context's list of those

protected:
    ~device_ledger() = default;
};

} // namespace iqa

// SPDX-License-Identifier: MIT
// Updates on an asynchronous device. They are enqueued and add to lanes there; the metric takes these lanes in when its
// state is read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/fault.h"
#include "core/memory.hpp"
#include "iqa_c.h"

namespace iqa {

// The result of updates on a device: sums of lanes without carries, valid until the next call of the ledger, and the
// first fault.
struct settlement {
    fault first;
    std::span<const int64_t> addend;
};

// Memory of one device for one metric, the lanes that its updates there have added to, and the first fault.
class device_ledger : public memory_source {
public:
    // Around an update: make the device current, then the caller's again. An update that is not complete (a call
    // failed) leaves no trace.
    virtual void begin() = 0;
    virtual void end(bool complete) noexcept = 0;

    // The present update's addend to the metric's lanes, and its first fault. Both begin as zero; with a fault the
    // addend is dropped.
    virtual int64_t *addend() = 0;
    virtual fault *report() = 0;
    // Enqueues the end of the update: adds the addend or keeps the fault, and clears both.
    virtual void commit() = 0;

    // The lanes on the device, for an update that adds only after all its data are found to be valid.
    virtual int64_t *lanes() = 0;

    // Waits for the stream, returns the device's lanes and the first fault, and clears them. Empty if no update has
    // ended since the last call, counting those replayed by graphs.
    virtual std::optional<settlement> settle() = 0;
    // Clears the lanes and the fault.
    virtual void discard() = 0;

    virtual bool serves(int32_t device_id) const noexcept = 0;
    // An update was captured into a graph, whose launches use the ledger's memory.
    virtual bool serves_graphs() const noexcept = 0;
    // Throws for a tensor of this device whose memory is known to be elsewhere.
    virtual void check_place(const char *name, const iqa_tensor &tensor) const = 0;

    // Destroys the ledger. A stream that is being captured cannot free memory: then the context calls again later. With
    // `last` it is destroyed in any case.
    virtual void close(bool last = false) noexcept = 0;

    device_ledger *next_open = nullptr; // in the context's list of ledgers to close

protected:
    ~device_ledger() = default;
};

} // namespace iqa

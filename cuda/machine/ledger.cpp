// SPDX-License-Identifier: MIT
#include "cuda/machine/ledger.hpp"

#include <algorithm>
#include <new>
#include <optional>

#include "cuda/machine/device.hpp"
#include "cuda/machine/device_memory.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

// The tensor's properties are not checked yet.
bool is_empty(const iqa_tensor &tensor)
{
    constexpr int32_t most_axes = 32;
    if (tensor.shape != nullptr)
        for (int32_t axis = 0; axis < std::min(tensor.ndim, most_axes); ++axis)
            if (tensor.shape[axis] == 0)
                return true;
    return false;
}

class ledger final : public cuda_ledger {
public:
    ledger(context &owner, int32_t device_id, bool pageable, size_t lanes, bool accumulates)
        : owner_(owner),
          device_(device_id),
          pageable_(pageable),
          count_(lanes),
          addends_(accumulates ? lanes : 0),
          bytes_((lanes + addends_) * sizeof(int64_t) + sizeof(fault) + sizeof(bookkeeping)),
          blocks_(owner, device_id),
          host_lanes_(owner)
    {
        const current_device current(device_);
        memory_ = static_cast<int64_t *>(allocate(bytes_, "the lanes of a metric on a CUDA device"));
        try {
            clear(memory_, bytes_);
        } catch (...) {
            blocks_.give_back_all();
            throw;
        }
    }

    void *allocate(size_t bytes, const char *purpose) override { return blocks_.allocate(bytes, purpose); }
    void deallocate(void *memory, size_t) noexcept override { blocks_.deallocate(memory); }
    bool in_graph(const void *memory) const noexcept override { return blocks_.in_graph(memory); }

    void clear(void *memory, size_t bytes) override
    {
        check(active_runtime.clear(memory, bytes, stream_of(owner_)), "clearing CUDA memory");
    }

    void begin() override
    {
        current_.emplace(device_);
        try {
            if (is_capturing(owner_))
                begin_capture();
            clear_taken();
            if (!complete_)
                clear(addend(), addends_ * sizeof(int64_t) + sizeof(fault));
        } catch (...) {
            current_.reset(); // there will be no end()
            throw;
        }
        complete_ = false;
        ++updates_;
    }

    void end(bool complete) noexcept override
    {
        complete_ = complete;
        current_.reset();
    }

    int64_t *lanes() override { return memory_; }
    int64_t *addend() override { return reinterpret_cast<int64_t *>(kept() + 1); }
    fault *report() override { return &books()->report; }

    void commit() override
    {
        const int64_t blocks = divide_up(int64_t(addends_), commit_update::lanes_of_a_block);
        launch<commit_update>(owner_, blocks > 0 ? blocks : 1, 0, commit_arguments());
    }

    commit_update::arguments commit_arguments() override
    {
        return {.lanes = lanes(),
                .addend = addend(),
                .count = int64_t(addends_),
                .report = report(),
                .kept = kept(),
                .updates = &books()->updates,
                .arrivals = &books()->arrivals};
    }

    std::optional<settlement> settle() override
    {
        const current_device current(device_);
        refuse_while_capturing(owner_, "reading a metric");
        int64_t ended = 0;
        fault found{};
        host_copies copies(owner_);
        check_updates(copies.download(&ended, &books()->updates, sizeof ended));
        check_updates(copies.wait());
        if (ended == taken_in_)
            return std::nullopt;
        clear_taken();
        int64_t *copy = host_lanes_.take<int64_t>(count_, "the lanes of a metric");
        check_updates(copies.download(copy, memory_, count_ * sizeof(int64_t)));
        check_updates(copies.download(&found, kept(), sizeof found));
        check_updates(copies.wait());
        settled_ = updates_;
        taken_in_ = ended;
        taken_ = true;
        try {
            clear_taken();
        } catch (const error &) { // the next update tries again
        }
        return settlement{found, {copy, count_}};
    }

    void discard() override
    {
        const current_device current(device_);
        refuse_while_capturing(owner_, "resetting a metric");
        clear(memory_, bytes_);
        taken_ = false;
        taken_in_ = 0;
    }

    bool serves(int32_t device_id) const noexcept override { return device_id == device_; }

    bool serves_graphs() const noexcept override { return serves_graphs_; }

    void check_place(const char *name, const iqa_tensor &tensor) const override
    {
        const bool on_device =
            (tensor.device_type == IQA_CUDA || tensor.device_type == IQA_CUDA_MANAGED) && tensor.device_id == device_;
        // The checks of the tensor's properties refuse other devices.
        if (!on_device || pageable_ || tensor.data == nullptr || is_empty(tensor))
            return;
        memory_location location{};
        check(active_runtime.locate(tensor.data, &location), "asking where a tensor's memory is");
        if (!location.known)
            fail(IQA_ERROR_DEVICE, name, " is said to be on CUDA device ", tensor.device_id,
                 ", but its memory is unknown to CUDA");
        if (!location.mapped && location.device != device_)
            fail(IQA_ERROR_DEVICE, name, " is said to be on CUDA device ", tensor.device_id,
                 ", but its memory is that of device ", location.device);
    }

    void close(bool last) noexcept override
    {
        if (blocks_.may_be_capturing()) {
            if (!last)
                return owner_.keep_ledger(*this);
            owner_.log("a context ended while its CUDA stream was captured: memory of its metrics stays until the "
                       "process ends");
            blocks_.forget_all();
        }
        blocks_.give_back_all();
        context &owner = owner_;
        this->~ledger();
        owner.deallocate(this, sizeof(ledger));
    }

private:
    // The memory: the lanes, the kept fault, the addend, this. Parts that are cleared together lie together.
    struct bookkeeping {
        fault report;
        int64_t updates;
        uint32_t arrivals;
    };

    // A graph runs more than once: it must not clear lanes that were read, and needs the same memory each time.
    void begin_capture()
    {
        if (taken_)
            refuse_while_capturing(owner_, "clearing what was read");
        serves_graphs_ = true;
        blocks_.join_graph();
    }

    fault *kept() { return reinterpret_cast<fault *>(memory_ + count_); }
    bookkeeping *books() { return reinterpret_cast<bookkeeping *>(addend() + addends_); }

    // Clears lanes that the metric has read, so that they do not count twice.
    void clear_taken()
    {
        if (!taken_)
            return;
        clear(memory_, count_ * sizeof(int64_t) + sizeof(fault));
        taken_ = false;
    }

    // Work that was enqueued long ago may have failed.
    void check_updates(status code) const
    {
        if (code == 0)
            return;
        active_runtime.forget_error();
        fail(IQA_ERROR_CUDA, "the CUDA device failed during updates ", settled_ + 1, " to ", updates_,
             " of this metric, or other work before on the stream: ", active_runtime.text(code));
    }

    context &owner_;
    const int device_;
    const bool pageable_; // the device can read any memory of the process
    const size_t count_, addends_, bytes_;
    device_memory blocks_;
    int64_t *memory_ = nullptr;
    bool serves_graphs_ = false;
    scratch host_lanes_;
    std::optional<current_device> current_;
    bool complete_ = true;              // the last update left no addend
    bool taken_ = false;                // the lanes were read and not cleared yet
    int64_t updates_ = 0, settled_ = 0; // updates begun; updates known to have succeeded
    int64_t taken_in_ = 0;              // the device's count of updates at the last settle(), with replays of graphs
};

} // namespace

device_ledger *open_ledger(context &owner, int32_t device_id, size_t lanes, bool accumulates)
{
    int devices = 0;
    const status code = active_runtime.device_count(&devices);
    if (code != 0) {
        active_runtime.forget_error();
        fail(IQA_ERROR_UNAVAILABLE,
             "the tensors are on a CUDA device, but CUDA cannot be used: ", active_runtime.text(code));
    }
    if (device_id < 0 || device_id >= devices)
        fail(IQA_ERROR_UNAVAILABLE, "the tensors are on CUDA device ", device_id, ", but there are ", devices);
    const device_abilities abilities = abilities_of(device_id);
    const text problem = problem_of(device_id, abilities);
    if (!problem.view().empty())
        fail(IQA_ERROR_UNAVAILABLE, problem.view());
    check_stream(owner, device_id);
    owner.close_ledgers();
    void *memory = owner.allocate(sizeof(ledger), "a metric's account on a CUDA device");
    try {
        return new (memory) ledger(owner, device_id, abilities.pageable, lanes, accumulates);
    } catch (...) {
        owner.deallocate(memory, sizeof(ledger));
        throw;
    }
}

} // namespace iqa::cuda

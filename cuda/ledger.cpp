// SPDX-License-Identifier: MIT
#include "cuda/ledger.hpp"

#include <new>
#include <optional>

#include "cuda/launch.hpp"

namespace iqa::cuda {

void check(status code, const char *what)
{
    if (code == 0)
        return;
    active_runtime.forget_error();
    fail(code == out_of_memory ? IQA_ERROR_OUT_OF_MEMORY : IQA_ERROR_CUDA, what, ": ", active_runtime.text(code));
}

current_device::current_device(int device)
{
    int now = -1;
    check(active_runtime.get_device(&now), "asking for the current CUDA device");
    if (now == device)
        return;
    check(active_runtime.set_device(device), "making the tensors' CUDA device current");
    before_ = now;
}

current_device::~current_device()
{
    if (before_ >= 0)
        active_runtime.set_device(before_);
}

void refuse_while_capturing(const context &where, const char *what)
{
    bool capturing = false;
    check(active_runtime.is_capturing(stream_of(where), &capturing), "asking whether the stream is being captured");
    if (capturing)
        fail(IQA_ERROR_CUDA, what,
             " is not possible while the stream is being captured into a graph; run one update "
             "with the same shapes before the capture, and read results after it");
}

namespace {

class ledger final : public cuda_ledger {
public:
    ledger(context &owner, int32_t device_id, size_t lanes, bool accumulates)
        : owner_(owner),
          device_(device_id),
          count_(lanes),
          addends_(accumulates ? lanes : 0),
          bytes_((lanes + addends_) * sizeof(int64_t) + sizeof(fault) + sizeof(bookkeeping)),
          host_lanes_(owner)
    {
        const current_device current(device_);
        memory_ = static_cast<int64_t *>(allocate(bytes_, "the lanes of a metric on a CUDA device"));
        try {
            clear(memory_, bytes_);
        } catch (...) {
            deallocate(memory_, bytes_);
            throw;
        }
    }

    void *allocate(size_t bytes, const char *purpose) override
    {
        refuse_while_capturing(owner_, "taking memory");
        void *memory = nullptr;
        const status code = active_runtime.allocate(&memory, bytes, stream_of(owner_));
        if (code == out_of_memory) {
            active_runtime.forget_error();
            fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory on CUDA device ", device_, ": ", bytes, " bytes for ",
                 purpose);
        }
        check(code, "allocating CUDA memory");
        return memory;
    }

    void deallocate(void *memory, size_t) noexcept override
    {
        if (memory == nullptr)
            return;
        std::optional<current_device> current;
        try {
            current.emplace(device_);
        } catch (...) { // the stream knows its device, but for the default one
        }
        active_runtime.deallocate(memory, stream_of(owner_)); // should it fail, nobody can be told
    }

    void clear(void *memory, size_t bytes) override
    {
        check(active_runtime.clear(memory, bytes, stream_of(owner_)), "clearing CUDA memory");
    }

    void begin() override
    {
        current_.emplace(device_);
        try {
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
        const int64_t blocks =
            (int64_t(addends_) + commit_update::lanes_of_a_block - 1) / commit_update::lanes_of_a_block;
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
        fetch(&ended, &books()->updates, sizeof ended);
        wait();
        if (ended == taken_in_)
            return std::nullopt;
        clear_taken();
        int64_t *copy = host_lanes_.take<int64_t>(count_, "the lanes of a metric");
        fault found{};
        fetch(copy, memory_, count_ * sizeof(int64_t));
        fetch(&found, kept(), sizeof found);
        wait();
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
        clear(memory_, bytes_);
        taken_ = false;
        taken_in_ = 0;
    }

    bool serves(int32_t device_id) const noexcept override { return device_id == device_; }

    void close() noexcept override
    {
        deallocate(memory_, bytes_);
        context &owner = owner_;
        this->~ledger();
        owner.deallocate(this, sizeof(ledger));
    }

private:
    // Behind the lanes come the fault that is kept, the addend, and this. What is cleared together lies together.
    struct bookkeeping {
        fault report;
        int64_t updates;
        uint32_t arrivals;
    };

    fault *kept() { return reinterpret_cast<fault *>(memory_ + count_); }
    bookkeeping *books() { return reinterpret_cast<bookkeeping *>(addend() + addends_); }

    // What the metric has already, the device must not have any more.
    void clear_taken()
    {
        if (!taken_)
            return;
        clear(memory_, count_ * sizeof(int64_t) + sizeof(fault));
        taken_ = false;
    }

    void fetch(void *to, const void *from, size_t bytes) const
    {
        check_updates(active_runtime.download(to, from, bytes, stream_of(owner_)));
    }
    void wait() const { check_updates(active_runtime.wait(stream_of(owner_))); }

    // What fails here may have been enqueued long ago.
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
    const size_t count_, addends_, bytes_;
    int64_t *memory_ = nullptr;
    scratch host_lanes_;
    std::optional<current_device> current_;
    bool complete_ = true;              // the last update left no addend
    bool taken_ = false;                // the lanes were taken in and are still to be cleared
    int64_t updates_ = 0, settled_ = 0; // updates begun, and those known to have ended well
    int64_t taken_in_ = 0;              // the device's own count, replayed graphs included, at the last settle
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
    void *memory = owner.allocate(sizeof(ledger), "a metric's account on a CUDA device");
    try {
        return new (memory) ledger(owner, device_id, lanes, accumulates);
    } catch (...) {
        owner.deallocate(memory, sizeof(ledger));
        throw;
    }
}

} // namespace iqa::cuda

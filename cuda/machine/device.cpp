// SPDX-License-Identifier: MIT
#include "cuda/machine/device.hpp"

#include "cuda/machine/launch.hpp"

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
    check(active_runtime.enter_device(device), "making the tensors' CUDA device current");
    entered_ = true;
}

current_device::~current_device()
{
    if (entered_)
        active_runtime.leave_device();
}

host_copies::~host_copies()
{
    if (pending_)
        active_runtime.wait(stream_of(where_)); // a failed device copies nothing any more
}

status host_copies::upload(void *device_memory, const void *memory, size_t bytes)
{
    pending_ = true;
    return active_runtime.upload(device_memory, memory, bytes, stream_of(where_));
}

status host_copies::download(void *memory, const void *device_memory, size_t bytes)
{
    pending_ = true;
    return active_runtime.download(memory, device_memory, bytes, stream_of(where_));
}

status host_copies::wait()
{
    const status code = active_runtime.wait(stream_of(where_));
    if (code == 0)
        pending_ = false;
    return code;
}

waiting_call::~waiting_call()
{
    bool capturing = false; // then it was refused, and waiting would end the capture
    if (std::uncaught_exceptions() > exceptions_ && active_runtime.is_capturing(stream_of(where_), &capturing) == 0 &&
        !capturing)
        active_runtime.wait(stream_of(where_));
}

bool is_capturing(const context &where)
{
    bool capturing = false;
    check(active_runtime.is_capturing(stream_of(where), &capturing), "asking whether the stream is being captured");
    return capturing;
}

void refuse_while_capturing(const context &where, const char *what)
{
    if (is_capturing(where))
        fail(IQA_ERROR_CUDA, what,
             " is not possible while the stream is being captured into a graph; run one update "
             "with the same shapes before the capture, and read results after it");
}

device_abilities abilities_of(int device)
{
    device_abilities found{};
    check(active_runtime.abilities(device, &found), "asking what the CUDA device can do");
    return found;
}

text problem_of(int device, const device_abilities &found)
{
    text problem;
    if (found.capability < found.least_capability)
        problem << "CUDA device " << device << " has compute capability " << found.capability / 10 << "."
                << found.capability % 10 << "; this library has kernels for " << found.least_capability / 10 << "."
                << found.least_capability % 10 << " and newer";
    else if (!found.pools)
        problem << "CUDA device " << device << " has no memory pools, which this library takes its memory from";
    return problem;
}

void check_stream(const context &where, int device)
{
    int found = -1;
    const status code = active_runtime.device_of_stream(stream_of(where), &found);
    if (code != 0)
        return active_runtime.forget_error(); // the launches will report it
    if (found >= 0 && found != device)
        fail(IQA_ERROR_DEVICE, "the tensors are on CUDA device ", device,
             ", but the context's CUDA stream is of device ", found);
}

} // namespace iqa::cuda

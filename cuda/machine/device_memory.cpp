// SPDX-License-Identifier: MIT
#include "cuda/machine/device_memory.hpp"

#include <new>
#include <optional>
#include <utility>

#include "cuda/machine/device.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

void *device_memory::allocate(size_t bytes, const char *purpose)
{
    refuse_while_capturing(owner_, "taking memory");
    give_back_unused();
    void *const record = owner_.allocate(sizeof(block), purpose);
    void *memory = nullptr;
    const status code = active_runtime.allocate(&memory, bytes, stream_of(owner_));
    if (code == 0) {
        blocks_ = new (record) block{.memory = memory, .next = blocks_, .in_graph = false, .unused = false};
        return memory;
    }
    owner_.deallocate(record, sizeof(block));
    if (code == out_of_memory) {
        active_runtime.forget_error();
        fail(IQA_ERROR_OUT_OF_MEMORY, "out of memory on CUDA device ", device_, ": ", bytes, " bytes for ", purpose);
    }
    check(code, "allocating CUDA memory");
    return nullptr;
}

void device_memory::deallocate(void *memory) noexcept
{
    block *const found = find(memory);
    if (found == nullptr)
        return;
    found->unused = true;
    if (!found->in_graph && !may_be_capturing())
        give_back_unused();
}

void device_memory::join_graph() noexcept
{
    for (block *node = blocks_; node != nullptr; node = node->next)
        node->in_graph = true;
}

bool device_memory::in_graph(const void *memory) const noexcept
{
    const block *const found = find(memory);
    return found != nullptr && found->in_graph;
}

bool device_memory::may_be_capturing() const noexcept
{
    bool capturing = false;
    if (active_runtime.is_capturing(stream_of(owner_), &capturing) == 0)
        return capturing;
    active_runtime.forget_error();
    return true;
}

device_memory::block *device_memory::find(const void *memory) const noexcept
{
    block *node = blocks_;
    while (node != nullptr && node->memory != memory)
        node = node->next;
    return node;
}

template <class Condition>
void device_memory::give_back(Condition &&condition) noexcept
{
    std::optional<current_device> current;
    for (block **link = &blocks_; *link != nullptr;) {
        block *const node = *link;
        if (!condition(*node)) {
            link = &node->next;
            continue;
        }
        try {
            if (!current)
                current.emplace(device_);
        } catch (...) { // every stream but the default one knows its device
        }
        active_runtime.deallocate(node->memory, stream_of(owner_)); // a destructor cannot report a failure
        *link = node->next;
        owner_.deallocate(node, sizeof(block));
    }
}

void device_memory::give_back_unused() noexcept
{
    give_back([](const block &node) { return node.unused && !node.in_graph; });
}

void device_memory::give_back_all() noexcept
{
    give_back([](const block &) { return true; });
}

void device_memory::forget_all() noexcept
{
    while (blocks_ != nullptr)
        owner_.deallocate(std::exchange(blocks_, blocks_->next), sizeof(block));
}

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
#include "cuda/ptx/device.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>

#include <cxxabi.h>
#include <malloc.h>

#include "cuda/machine/block.h"

namespace test::ptx {

namespace {

constexpr int poison = 0xcd;
constexpr size_t usual_shared_bytes = 48 * 1024;

// The most shared memory of a block: CUDA C++ programming guide, "Technical Specifications per Compute Capability".
const std::map<int, size_t> most_shared = {{75, 64 * 1024},  {80, 163 * 1024},  {86, 99 * 1024},
                                           {90, 227 * 1024}, {100, 227 * 1024}, {120, 99 * 1024}};
constexpr unsigned most_threads = 1024;
constexpr unsigned most_blocks[3] = {0x7fffffff, 0xffff, 0xffff};
constexpr unsigned most_threads_of_axis[3] = {1024, 1024, 64};

// "void iqa::cuda::run_on_gpu<KERNEL>(...)"
std::string kernel_of(const std::string &mangled)
{
    const std::string whole = demangled(mangled);
    const std::string before = "run_on_gpu<";
    const size_t begin = whole.find(before);
    if (begin == std::string::npos)
        return mangled;
    size_t end = whole.find(">(", begin);
    end = whole[end - 1] == ' ' ? end - 1 : end;
    return whole.substr(begin + before.size(), end - begin - before.size());
}

std::map<std::string, std::string> kernels_of(const std::string &text)
{
    std::map<std::string, std::string> found;
    const std::string before = ".entry ";
    for (size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
        at += before.size();
        const std::string mangled = text.substr(at, text.find_first_of(" (\n", at) - at);
        found[kernel_of(mangled)] = mangled;
    }
    return found;
}

std::string opcode_of(const std::string &text)
{
    const size_t begin = text[0] == '@' ? text.find(' ') + 1 : 0;
    return text.substr(begin, text.find(' ', begin) - begin);
}

[[noreturn]] void refuse(const std::string &what, size_t value, size_t most)
{
    throw fault("the launch has " + std::to_string(value) + " " + what + "; at most " + std::to_string(most));
}

} // namespace

std::string demangled(const std::string &name)
{
    int status = 0;
    char *text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
    const std::string result = status == 0 ? text : name;
    std::free(text);
    return result;
}

uint64_t kernel_counts::total() const
{
    uint64_t sum = 0;
    for (const auto &[opcode, count] : issued)
        sum += count;
    return sum;
}

uint64_t device::issued() const
{
    uint64_t sum = 0;
    for (const auto &[kernel, kept] : counts)
        sum += kept.total();
    return sum;
}

device &device::get()
{
    static auto &only = *new device;
    return only;
}

device::device()
{
    // Frames of warps come and go: keeps their memory in the process.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    std::istringstream names(IQA_PTX_FILES);
    for (std::string name; std::getline(names, name, ':');) {
        std::ifstream from(name);
        std::stringstream text;
        text << from.rdbuf();
        const size_t target = text.str().find(".target sm_");
        if (!from || target == std::string::npos)
            throw fault("no PTX in " + name);
        files_.push_back({text.str(), std::stoi(text.str().substr(target + 11)), kernels_of(text.str()), nullptr});
    }
}

void device::become(int architecture)
{
    if (most_shared.count(architecture) == 0)
        throw fault("no such architecture: " + std::to_string(architecture));
    architecture_ = architecture;
    allowed_shared_bytes_.clear();
}

size_t device::most_shared_bytes() const
{
    return most_shared.at(architecture_);
}

void *device::allocate(size_t bytes)
{
    constexpr size_t alignment = 256;
    void *memory = std::aligned_alloc(alignment, (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment);
    std::memset(memory, poison, bytes);
    memory_[reinterpret_cast<uint64_t>(memory)] = bytes;
    return memory;
}

bool device::deallocate(void *memory)
{
    if (memory != nullptr && memory_.erase(reinterpret_cast<uint64_t>(memory)) == 0)
        return false;
    std::free(memory);
    return true;
}

bool device::is_live(const void *memory, size_t bytes) const
{
    const auto address = reinterpret_cast<uint64_t>(memory);
    return bytes == 0 || live_memory(memory_).end_at(address) >= address + bytes;
}

device::file &device::file_with(const std::string &kernel)
{
    file *best = nullptr;
    for (file &each : files_) {
        if (each.mangled.count(kernel) == 0)
            continue;
        const bool fits = each.architecture <= architecture_;
        const bool best_fits = best != nullptr && best->architecture <= architecture_;
        if (best == nullptr || (fits && (!best_fits || each.architecture > best->architecture)))
            best = &each;
    }
    if (best == nullptr)
        throw fault("no PTX of " + kernel);
    return *best;
}

const program &device::program_of(const kernel_entry &kernel)
{
    file &from = file_with(kernel.name);
    if (from.functions == nullptr)
        from.functions = std::make_unique<library>(from.text);
    const program &made = from.functions->get(from.mangled.at(kernel.name));
    if (made.param_bytes != kernel.arguments_size)
        throw fault(kernel.name + " has " + std::to_string(made.param_bytes) + " bytes of arguments in PTX, and " +
                    std::to_string(kernel.arguments_size) + " on the host");
    return made;
}

template <class Work>
bool device::attempt(const kernel_entry &kernel, Work &&work)
{
    try {
        work(program_of(kernel));
        return true;
    } catch (const fault &why) {
        last_fault_ = "sm_" + std::to_string(architecture_) + ", " + kernel.name + ": " + why.what();
        return false;
    }
}

bool device::find_static_shared_bytes(const kernel_entry &kernel, size_t &bytes)
{
    return attempt(kernel, [&](const program &made) { bytes = made.static_shared_bytes; });
}

bool device::allow_shared_bytes(const kernel_entry &kernel, size_t bytes)
{
    return attempt(kernel, [&](const program &made) {
        if (bytes + made.static_shared_bytes > most_shared_bytes())
            refuse("bytes of shared memory", bytes + made.static_shared_bytes, most_shared_bytes());
        allowed_shared_bytes_[kernel.name] = bytes;
    });
}

// The assembler limits registers to those that a block of .maxntid threads can have.
void device::check_limits(const program &kernel, const kernel_entry &entry, const launch_request &request)
{
    size_t threads = 1;
    for (int axis = 0; axis < 3; ++axis) {
        if (request.blocks[axis] == 0 || request.threads[axis] == 0)
            throw fault("the launch has no blocks or no threads");
        if (request.blocks[axis] > most_blocks[axis])
            refuse("blocks", request.blocks[axis], most_blocks[axis]);
        if (request.threads[axis] > most_threads_of_axis[axis])
            refuse("threads of an axis", request.threads[axis], most_threads_of_axis[axis]);
        threads *= request.threads[axis];
    }
    if (threads > std::min(most_threads, unsigned(kernel.most_threads)))
        refuse("threads", threads, std::min(most_threads, unsigned(kernel.most_threads)));
    if (threads % lanes != 0 || threads != request.threads[0] || request.blocks[1] != 1 || request.blocks[2] != 1)
        throw fault("the machine has whole warps and grids of one axis only");
    // The runtime relies on this bound when it decides whether to ask for more memory.
    if (request.shared_bytes > 0 && kernel.static_shared_bytes > iqa::cuda::most_static_shared_bytes)
        refuse("static bytes of shared memory beside others", kernel.static_shared_bytes,
               iqa::cuda::most_static_shared_bytes);
    const auto allowed = allowed_shared_bytes_.find(entry.name);
    const size_t usual = usual_shared_bytes - kernel.static_shared_bytes;
    const size_t most = allowed == allowed_shared_bytes_.end() ? usual : std::max(usual, allowed->second);
    if (request.shared_bytes > most)
        refuse("bytes of shared memory beside " + std::to_string(kernel.static_shared_bytes) + " static ones",
               request.shared_bytes, most);
}

bool device::launch(const kernel_entry &kernel, const launch_request &request)
{
    return attempt(kernel, [&](const program &made) {
        check_limits(made, kernel, request);
        const char *bytes = static_cast<const char *>(request.arguments);
        const std::vector<char> params(bytes, bytes + made.param_bytes);
        const live_memory memory(memory_);
        run({made, request.blocks[0], request.threads[0], request.shared_bytes, params, memory}, counts[kernel.name]);
    });
}

void device::run(const grid &launch, kernel_counts &kept)
{
    std::mutex one_at_a_time;
    std::string first_fault;
    unsigned next = 0;
    const int threads = int(std::min<unsigned>(launch.blocks, unsigned(omp_get_max_threads())));
#pragma omp parallel num_threads(threads)
    {
        tally issued;
        block current;
        for (;;) {
            unsigned index;
            {
                const std::lock_guard lock(one_at_a_time);
                if (next == launch.blocks || !first_fault.empty())
                    break;
                index = next++;
            }
            try {
                current.run(launch, index, issued);
            } catch (const fault &why) {
                const std::lock_guard lock(one_at_a_time);
                first_fault = why.what();
            }
        }
        const std::lock_guard lock(one_at_a_time);
        for (const auto &[function, times] : issued)
            for (size_t i = 0; i < times.size(); ++i)
                if (times[i] != 0)
                    kept.issued[opcode_of(function->text[i])] += times[i];
    }
    ++kept.launches;
    kept.blocks += launch.blocks;
    if (!first_fault.empty())
        throw fault(first_fault);
}

std::pair<size_t, size_t> device::part_with(const file &from, const std::string &kernel)
{
    const size_t begin = from.text.find(".entry " + from.mangled.at(kernel) + "(");
    return {begin, from.text.find("\n}\n", begin) - begin};
}

std::string device::text_of(const std::string &kernel)
{
    const file &from = file_with(kernel);
    const auto [begin, size] = part_with(from, kernel);
    return from.text.substr(begin, size);
}

void device::replace(const std::string &kernel, const std::string &text)
{
    file &changed = file_with(kernel);
    const auto [begin, size] = part_with(changed, kernel);
    changed.text.replace(begin, size, text);
    changed.functions = nullptr;
}

} // namespace test::ptx

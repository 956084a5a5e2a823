// SPDX-License-Identifier: MIT
// A GPU for tests: memory, the limits of an architecture, and kernels that run from the PTX that nvcc made.
#pragma once

#include "cuda/ptx/warp.hpp"

namespace test::ptx {

std::string demangled(const std::string &name);

// A kernel as entry_of() gives it.
struct kernel_entry {
    std::string name; // as in C++
    size_t arguments_size;
};

// The work of a kernel's launches.
struct kernel_counts {
    int64_t launches = 0, blocks = 0;
    std::map<std::string, uint64_t> issued; // instructions of warps, by opcode

    uint64_t total() const;
};

struct launch_request {
    unsigned blocks[3], threads[3];
    size_t shared_bytes;
    const void *arguments;
};

class device {
public:
    static device &get();

    // The architecture whose limits hold: 75, 80, 86, 90, 100 or 120. It runs the kernels for the newest architecture
    // that is not newer, or else those for the oldest.
    void become(int architecture);
    int architecture() const { return architecture_; }
    size_t most_shared_bytes() const; // of a block that asks for more than the usual 48 KB

    void *allocate(size_t bytes); // poisoned
    void lend(void *memory, size_t bytes)
    {
        memory_[reinterpret_cast<uint64_t>(memory)] = bytes;
    } // the caller's memory
    bool deallocate(void *memory);
    bool is_live(const void *memory, size_t bytes) const;
    size_t live_blocks() const { return memory_.size(); }

    // The kernel's static shared memory, and the limit of its dynamic memory. On false, last_fault() says why.
    bool find_static_shared_bytes(const kernel_entry &kernel, size_t &bytes);
    bool allow_shared_bytes(const kernel_entry &kernel, size_t bytes);

    // Runs the kernel to its end. False after a launch beyond the limits or a fault of the kernel: see last_fault().
    bool launch(const kernel_entry &kernel, const launch_request &request);
    const std::string &last_fault() const { return last_fault_; }

    std::map<std::string, kernel_counts> counts; // by kernel; tests clear them
    uint64_t issued() const;                     // instructions of warps, by all kernels

    // A kernel's text, from its name to its end; and its replacement.
    std::string text_of(const std::string &kernel);
    void replace(const std::string &kernel, const std::string &text);

private:
    struct file {
        std::string text;
        int architecture;
        std::map<std::string, std::string> mangled; // by the name in C++
        std::unique_ptr<library> functions;
    };

    device();
    file &file_with(const std::string &kernel);
    static std::pair<size_t, size_t> part_with(const file &from, const std::string &kernel);
    const program &program_of(const kernel_entry &kernel);
    template <class Work>
    bool attempt(const kernel_entry &kernel, Work &&work);
    void check_limits(const program &kernel, const kernel_entry &entry, const launch_request &request);
    void run(const grid &launch, kernel_counts &kept);

    std::vector<file> files_;
    int architecture_ = 90;
    std::map<uint64_t, size_t> memory_;
    std::map<std::string, size_t> allowed_shared_bytes_;
    std::string last_fault_;
};

} // namespace test::ptx

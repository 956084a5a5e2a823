// SPDX-License-Identifier: MIT
#include "core/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "arith/portable.h"
#include "core/error.hpp"

namespace iqa {

namespace {

constexpr int64_t no_limit = INT64_MAX;

// ---- Files, without allocations

class file_reader {
public:
    explicit file_reader(const char *path) noexcept : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {}
    file_reader(const file_reader &) = delete;
    file_reader &operator=(const file_reader &) = delete;
    ~file_reader()
    {
        if (descriptor_ >= 0)
            close(descriptor_);
    }

    // The next character, or -1 at the end.
    int next() noexcept
    {
        if (at_ == size_) {
            at_ = size_ = 0;
            ssize_t got = -1;
            while (descriptor_ >= 0 && (got = read(descriptor_, buffer_, sizeof buffer_)) < 0 && errno == EINTR) {
            }
            if (got <= 0)
                return -1;
            size_ = size_t(got);
        }
        return static_cast<unsigned char>(buffer_[at_++]);
    }

private:
    int descriptor_;
    char buffer_[256];
    size_t at_ = 0, size_ = 0;
};

// A string in a fixed buffer. A longer one is invalid.
class short_text {
public:
    void append(std::string_view part) noexcept
    {
        valid_ = valid_ && part.size() < sizeof text_ - size_;
        if (!valid_)
            return;
        std::memcpy(text_ + size_, part.data(), part.size());
        size_ += part.size();
        text_[size_] = '\0';
    }
    // Appends the characters up to one of `ends`, and returns that one, or -1 at the end.
    int read(file_reader &file, std::string_view ends) noexcept
    {
        for (;;) {
            const int c = file.next();
            if (c < 0 || ends.find(char(c)) != std::string_view::npos)
                return c;
            const char character = char(c);
            append({&character, 1});
        }
    }
    void cut(size_t size) noexcept { text_[size_ = std::min(size, size_)] = '\0'; }

    bool is_valid() const noexcept { return valid_; }
    const char *c_str() const noexcept { return text_; }
    std::string_view view() const noexcept { return {text_, size_}; }

private:
    char text_[640] = {};
    size_t size_ = 0;
    bool valid_ = true;
};

// ---- Numbers

// A whole number above 0 at the start of a text that ends there or at one of `ends`; else 0.
int64_t number_of(std::string_view text, std::string_view ends) noexcept
{
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return 0;
    int64_t value = 0;
    const char *const last = text.data() + text.size();
    const auto [end, problem] = std::from_chars(text.data() + first, last, value);
    if (problem != std::errc() || (end != last && ends.find(*end) == std::string_view::npos))
        return 0;
    return std::max<int64_t>(value, 0);
}

std::string_view variable(const char *name) noexcept
{
    const char *const value = std::getenv(name);
    return value != nullptr ? value : "";
}

// A value that OpenMP would not take is no limit.
int64_t limit_of_variable(const char *name) noexcept
{
    const int64_t value = number_of(variable(name), ", \t");
    return value > 0 ? value : no_limit;
}

// ---- Control groups

int64_t limit_of(int64_t quota, int64_t period) noexcept
{
    return quota > 0 && period > 0 ? divide_up(quota, period) : no_limit;
}

// 0 for "max", "-1" and a missing file.
int64_t read_number(file_reader &file) noexcept
{
    short_text word;
    word.read(file, " \n");
    return word.is_valid() ? number_of(word.view(), "") : 0;
}

int64_t read_number(const short_text &group, std::string_view name) noexcept
{
    short_text path = group;
    path.append(name);
    file_reader file(path.is_valid() ? path.c_str() : "");
    return read_number(file);
}

int64_t limit_of_group(const short_text &group, bool unified) noexcept
{
    if (!unified)
        return limit_of(read_number(group, "/cpu.cfs_quota_us"), read_number(group, "/cpu.cfs_period_us"));
    short_text path = group;
    path.append("/cpu.max");
    file_reader file(path.is_valid() ? path.c_str() : "");
    const int64_t quota = read_number(file);
    return limit_of(quota, read_number(file));
}

// The limit of a group and all above it. In a container a path may be the host's, so that only the top exists.
[[gnu::noinline]] int64_t limit_of_groups(const char *root, std::string_view mount, std::string_view path,
                                          bool unified) noexcept
{
    short_text group;
    group.append(root);
    group.append(mount);
    const size_t top = group.view().size();
    group.append(path);
    int64_t limit = no_limit;
    while (group.is_valid()) {
        limit = std::min(limit, limit_of_group(group, unified));
        const size_t slash = group.view().rfind('/');
        if (group.view().size() <= top || slash == std::string_view::npos)
            break;
        group.cut(std::max(slash, top));
    }
    return limit;
}

bool has_processors(std::string_view controllers) noexcept
{
    while (!controllers.empty()) {
        const size_t comma = std::min(controllers.find(','), controllers.size());
        if (controllers.substr(0, comma) == "cpu")
            return true;
        controllers.remove_prefix(std::min(comma + 1, controllers.size()));
    }
    return false;
}

// ---- Settings

int processors_of_process() noexcept
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (sched_getaffinity(0, sizeof processors, &processors) != 0)
        return 1;
    return std::max(CPU_COUNT(&processors), 1);
}

int read_instruction_set()
{
    const std::string_view name = variable("IQA_ISA");
    if (name == "baseline")
        return IQA_ISA_BASELINE;
    if (name == "avx2")
        return IQA_ISA_AVX2;
    if (!name.empty() && name != "avx512")
        fail(IQA_ERROR_INVALID_ARGUMENT, "the environment variable IQA_ISA is ", name,
             "; expected baseline, avx2 or avx512");
    return IQA_ISA_AVX512;
}

int read_threads()
{
    const std::string_view stated = variable("IQA_NUM_THREADS");
    int64_t threads = number_of(stated, "");
    if (!stated.empty() && threads == 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the environment variable IQA_NUM_THREADS is ", stated,
             "; expected a whole number above 0");
    if (stated.empty())
        threads = std::min({int64_t(processors_of_process()), limit_of_variable("OMP_NUM_THREADS"),
                            limit_of_variable("OMP_THREAD_LIMIT"), processors_of_quota("")});
    return int(std::min<int64_t>(threads, most_threads));
}

struct settings {
    int instruction_set, threads;
};

// Read when the first context is made, before any use.
constinit settings known = {IQA_ISA_AVX512, 1};

} // namespace

int64_t processors_of_quota(const char *root) noexcept
{
    short_text list;
    list.append(root);
    list.append("/proc/self/cgroup");
    file_reader file(list.c_str());
    int64_t limit = no_limit;
    for (;;) { // number:controllers:path
        short_text controllers, path;
        int c = short_text().read(file, ":\n");
        if (c == ':')
            c = controllers.read(file, ":\n");
        if (c == ':')
            c = path.read(file, "\n");
        const bool unified = controllers.view().empty();
        if (path.view().starts_with('/') && (unified || has_processors(controllers.view())))
            for (const char *mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"})
                if (unified == (std::string_view(mount) == "/sys/fs/cgroup"))
                    limit = std::min(limit, limit_of_groups(root, mount, path.is_valid() ? path.view() : "", unified));
        if (c < 0)
            return limit;
    }
}

void check_environment()
{
    static const bool read = (known = {read_instruction_set(), read_threads()}, true);
    static_cast<void>(read);
}

int instruction_set_of_environment() noexcept
{
    return known.instruction_set;
}

int threads_of_environment() noexcept
{
    return known.threads;
}

} // namespace iqa

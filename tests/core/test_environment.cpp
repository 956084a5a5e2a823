// SPDX-License-Identifier: MIT
// Quotas of control groups, of both versions, from trees of files.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "core/environment.hpp"
#include "support/catch.hpp"

namespace {

class tree {
public:
    tree() : root_(std::filesystem::temp_directory_path() / ("iqa_environment_" + std::to_string(getpid())))
    {
        std::filesystem::remove_all(root_);
    }
    tree(const tree &) = delete;
    tree &operator=(const tree &) = delete;
    ~tree() { std::filesystem::remove_all(root_); }

    void write(const std::string &path, const std::string &content) const
    {
        const std::filesystem::path file = root_.string() + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << content;
    }
    int64_t processors() const { return iqa::processors_of_quota(root_.c_str()); }

private:
    std::filesystem::path root_;
};

constexpr int64_t none = INT64_MAX;

} // namespace

TEST_CASE("The unified hierarchy: the smallest quota of a group and those above it, rounded up")
{
    const tree files;
    CHECK(files.processors() == none);
    files.write("/proc/self/cgroup", "0::/a/b\n");
    CHECK(files.processors() == none);
    files.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    CHECK(files.processors() == none);
    files.write("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    CHECK(files.processors() == 3);
    files.write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
    CHECK(files.processors() == 2);
    files.write("/sys/fs/cgroup/cpu.max", "1 100000\n");
    CHECK(files.processors() == 1);
    files.write("/proc/self/cgroup", "0::/\n");
    CHECK(files.processors() == 1);
    // Of a container, whose path is not there.
    files.write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    files.write("/proc/self/cgroup", "0::/kubepods/pod/container\n");
    CHECK(files.processors() == 4);
}

TEST_CASE("The older hierarchy: the group of the controller cpu")
{
    const tree files;
    files.write("/proc/self/cgroup", "12:memory:/m\n4:cpuset:/s\n3:cpu,cpuacct:/a/b\n1:name=systemd:/d\n0::/unified\n");
    CHECK(files.processors() == none);
    files.write("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
    files.write("/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    CHECK(files.processors() == none);
    files.write("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "150000\n");
    CHECK(files.processors() == 2);
    files.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    files.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n");
    CHECK(files.processors() == 1);
    // No quota of the processors'.
    files.write("/proc/self/cgroup", "4:cpuset:/a/b\n");
    CHECK(files.processors() == none);
}

TEST_CASE("Quotas that make no sense are none")
{
    const tree files;
    files.write("/proc/self/cgroup", "0::/a\n");
    for (const char *content : {"", "\n", "max", "0 100000", "-5 100000", "100000", "100000 0", "x y", "100000 x",
                                "99999999999999999999 1"}) {
        files.write("/sys/fs/cgroup/a/cpu.max", content);
        CHECK(files.processors() == none);
    }
    files.write("/sys/fs/cgroup/a/cpu.max", "9223372036854775807 1");
    CHECK(files.processors() == none); // as large
    // A path that is longer than any place for it: only the top is looked at.
    files.write("/proc/self/cgroup", "0::/" + std::string(5000, 'a') + "\n0::/a\n");
    files.write("/sys/fs/cgroup/a/cpu.max", "300000 100000");
    CHECK(files.processors() == 3);
    files.write("/sys/fs/cgroup/cpu.max", "200000 100000");
    CHECK(files.processors() == 2);
    for (const char *list : {"", "0", "0:", "0:\n", "::\n", "0::\n", "\n\n"}) {
        files.write("/proc/self/cgroup", list);
        CHECK(files.processors() == none);
    }
}

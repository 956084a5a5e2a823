// SPDX-License-Identifier: MIT
// A progress bar on the standard error, if that is a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace iqa_tool {

class progress_bar {
public:
    // `unit` is a plural noun. A total of 0 means unknown.
    explicit progress_bar(std::size_t total, std::string unit = "pairs");
    progress_bar(const progress_bar &) = delete;
    progress_bar &operator=(const progress_bar &) = delete;
    ~progress_bar() { clear(); }

    // Draws the bar again, at most ten times a second.
    void show(std::size_t done);
    // Removes the bar from the terminal.
    void clear();

private:
    std::string line(std::size_t done, double seconds) const;

    using clock = std::chrono::steady_clock;
    std::size_t total_;
    std::string unit_;
    bool is_terminal_;
    bool is_drawn_ = false;
    clock::time_point start_, last_;
};

} // namespace iqa_tool

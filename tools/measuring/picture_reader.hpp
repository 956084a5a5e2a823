// SPDX-License-Identifier: MIT
// Picture files, decoded by threads of their own ahead of who takes them.
#pragma once

#include "files/image.hpp"

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace iqa_tool {

// A decoded picture, or what is wrong with its file.
struct decoded_picture {
    std::optional<image> picture;
    std::string problem;
};

class picture_reader {
public:
    // At most `room` pictures that nobody has taken are in memory. `paths` must outlive it.
    picture_reader(std::span<const std::string> paths, std::size_t room, int threads);
    picture_reader(const picture_reader &) = delete;
    picture_reader &operator=(const picture_reader &) = delete;
    ~picture_reader();

    // The next picture, in the order of the paths; there must be one left. Throws what is not the file's fault.
    decoded_picture next();

private:
    struct slot {
        decoded_picture content;
        std::exception_ptr failure;
        bool is_full = false;
    };

    void work(const std::stop_token &stop);

    std::span<const std::string> paths_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<slot> slots_; // path i is in slot i modulo their number
    std::size_t begun_ = 0, taken_ = 0;
    std::vector<std::jthread> threads_; // the last member: they end first
};

} // namespace iqa_tool

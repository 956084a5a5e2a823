// SPDX-License-Identifier: MIT
#include "measuring/picture_reader.hpp"

#include "files/file_error.hpp"

#include <algorithm>
#include <utility>

namespace iqa_tool {

namespace {

decoded_picture decode(const std::string &path)
{
    try {
        return {blame(path,
                      [&] {
                          decode_options options;
                          options.layout = IQA_LAYOUT_NHWC;
                          options.orientation = orientation_policy::stored; // as the programs that FID is compared with
                          image picture = read_image(open_regular_file(path), options);
                          settle_orientation(picture, options.orientation);
                          apply_alpha_policy(picture, alpha_policy::opaque);
                          return picture;
                      }),
                ""};
    } catch (const file_error &problem) {
        return {std::nullopt, problem.what()};
    }
}

} // namespace

picture_reader::picture_reader(std::span<const std::string> paths, std::size_t room, int threads)
    : paths_(paths), slots_(room)
{
    const std::size_t count = std::min({static_cast<std::size_t>(threads), room, paths.size()});
    while (threads_.size() < count)
        threads_.emplace_back([this](const std::stop_token &stop) { work(stop); });
}

picture_reader::~picture_reader()
{
    for (std::jthread &thread : threads_)
        thread.request_stop();
}

void picture_reader::work(const std::stop_token &stop)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, stop, [&] { return begun_ == paths_.size() || begun_ < taken_ + slots_.size(); });
        if (stop.stop_requested() || begun_ == paths_.size())
            return;
        const std::size_t index = begun_++;
        lock.unlock();
        slot made;
        try {
            made.content = decode(paths_[index]);
        } catch (...) {
            made.failure = std::current_exception();
        }
        made.is_full = true;
        lock.lock();
        slots_[index % slots_.size()] = std::move(made);
        changed_.notify_all();
    }
}

decoded_picture picture_reader::next()
{
    std::unique_lock lock(mutex_);
    slot &wanted = slots_[taken_ % slots_.size()];
    changed_.wait(lock, [&] { return wanted.is_full; });
    slot found = std::exchange(wanted, {});
    ++taken_;
    changed_.notify_all();
    if (found.failure)
        std::rethrow_exception(found.failure);
    return std::move(found.content);
}

} // namespace iqa_tool

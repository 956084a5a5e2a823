// SPDX-License-Identifier: MIT
#include "measuring/progress.hpp"

#include "files/number.hpp"

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace iqa_tool {

namespace {

std::size_t terminal_width()
{
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string clock_text(double seconds)
{
    const auto whole = static_cast<long long>(seconds + 0.5);
    const auto two_digits = [](long long number) {
        return (number < 10 ? "0" : "") + std::to_string(number);
    };
    if (whole >= 3600)
        return std::to_string(whole / 3600) + ":" + two_digits(whole / 60 % 60) + ":" + two_digits(whole % 60);
    return std::to_string(whole / 60) + ":" + two_digits(whole % 60);
}

} // namespace

progress_bar::progress_bar(std::size_t total, std::string unit)
    : total_(total),
      unit_(std::move(unit)),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      start_(clock::now()),
      last_(start_)
{
}

std::string progress_bar::line(std::size_t done, double seconds) const
{
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    const std::string speed = done > 0 ? "  " + fixed(rate, rate < 10 ? 1 : 0) + " " + unit_ + "/s" : "";
    if (total_ == 0)
        return std::to_string(done) + speed;
    std::string text = " " + std::to_string(done) + "/" + std::to_string(total_) + "  " +
                       std::to_string(100 * std::min(done, total_) / total_) + "%" + speed;
    if (done > 0)
        text += "  " + clock_text(static_cast<double>(total_ - std::min(done, total_)) / rate) + " left";
    const std::size_t width = terminal_width();
    const std::size_t room = width > text.size() + 3 ? std::min<std::size_t>(40, width - text.size() - 3) : 0;
    const std::size_t filled = room * std::min(done, total_) / total_;
    if (room < 5)
        return text.substr(0, width > 1 ? width - 1 : 0);
    return "[" + std::string(filled, '#') + std::string(room - filled, '.') + "]" + text;
}

void progress_bar::show(std::size_t done)
{
    const clock::time_point now = clock::now();
    if (!is_terminal_ || now - last_ < std::chrono::milliseconds(100))
        return;
    last_ = now;
    is_drawn_ = true;
    const std::string text = "\r" + line(done, std::chrono::duration<double>(now - start_).count()) + "\x1b[K";
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

void progress_bar::clear()
{
    if (!is_drawn_)
        return;
    is_drawn_ = false;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
}

} // namespace iqa_tool

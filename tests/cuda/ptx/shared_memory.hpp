// SPDX-License-Identifier: MIT
// The shared memory of a block, and who touched what since the last barrier. Two threads that touch the same byte
// there, one of them writing and not both by atomics, are a race: on a GPU either may come first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace test::ptx {

enum class access : uint8_t { read, write, atomic };

class shared_memory {
public:
    void start(size_t bytes); // of a block: poisoned
    void pass_barrier() { ++epoch_; }

    char *data() { return data_.data(); }
    size_t size() const { return data_.size(); }

    // Notes an access, which lies within. Where it is a race, the answer is the line of the other access; 0 otherwise.
    int touch(size_t offset, size_t bytes, int thread, access kind, int line)
    {
        int other = 0;
        const size_t end = offset + bytes;
        for (size_t word = offset / 4; word * 4 < end && other == 0; ++word) {
            const bool whole = offset <= word * 4 && (word + 1) * 4 <= end;
            if (whole && !(words_[word].epoch == epoch_ && words_[word].is_split))
                other = mark(words_[word], thread, kind, line);
            else
                other = touch_bytes(word, offset, end, thread, kind, line);
        }
        return other;
    }

private:
    // Threads count from 1; 0 is none.
    static constexpr uint16_t several = 0xffff;

    struct cell {
        uint32_t epoch = 0;
        uint16_t writer = 0, reader = 0; // several writers: by atomics
        int32_t line = 0;
        bool is_split = false; // see the bytes
    };

    int mark(cell &at, int thread, access kind, int line)
    {
        const uint16_t own = uint16_t(thread + 1);
        if (at.epoch != epoch_)
            at = {epoch_, 0, 0, line, false};
        const bool written = at.writer != 0 && at.writer != own;
        const bool read = at.reader != 0 && at.reader != own;
        const bool race = kind == access::read    ? written
                          : kind == access::write ? written || read
                                                  : read || (written && at.writer != several);
        if (race)
            return at.line;
        if (kind == access::read)
            at.reader = at.reader == 0 || at.reader == own ? own : several;
        else if (kind == access::write)
            at.writer = own;
        else if (at.writer == 0)
            at.writer = several;
        at.line = line;
        return 0;
    }

    int touch_bytes(size_t word, size_t begin, size_t end, int thread, access kind, int line);

    std::vector<char> data_;
    std::vector<cell> words_, bytes_;
    uint32_t epoch_ = 0;
};

} // namespace test::ptx

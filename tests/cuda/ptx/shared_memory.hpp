// SPDX-License-Identifier: MIT
// The shared memory of a block, and the accesses since the last barrier. Two threads race if they touch the same byte,
// at least one writes, and not both use atomics: on a GPU either may come first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace test::ptx {

enum class access : uint8_t { read, write, atomic };

class shared_memory {
public:
    void start(size_t bytes); // for a new block: poisoned
    void pass_barrier() { ++epoch_; }

    char *data() { return data_.data(); }
    size_t size() const { return data_.size(); }

    // Records an access inside the memory. Returns the line of the access that it races with; 0: none.
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
    // Cells have thread + 1; 0: no thread.
    static constexpr uint16_t several = 0xffff;

    struct cell {
        uint32_t epoch = 0;
        uint16_t writer = 0, reader = 0; // several writers use atomics
        int32_t line = 0;
        bool is_split = false; // its bytes have cells
    };

    int mark(cell &touched, int thread, access kind, int line)
    {
        const uint16_t number = uint16_t(thread + 1);
        if (touched.epoch != epoch_)
            touched = {epoch_, 0, 0, line, false};
        const bool written = touched.writer != 0 && touched.writer != number;
        const bool read = touched.reader != 0 && touched.reader != number;
        const bool race = kind == access::read    ? written
                          : kind == access::write ? written || read
                                                  : read || (written && touched.writer != several);
        if (race)
            return touched.line;
        if (kind == access::read)
            touched.reader = touched.reader == 0 || touched.reader == number ? number : several;
        else if (kind == access::write)
            touched.writer = number;
        else if (touched.writer == 0)
            touched.writer = several;
        touched.line = line;
        return 0;
    }

    int touch_bytes(size_t word, size_t begin, size_t end, int thread, access kind, int line);

    std::vector<char> data_;
    std::vector<cell> words_, bytes_;
    uint32_t epoch_ = 0;
};

} // namespace test::ptx

// SPDX-License-Identifier: MIT
#include "core/memory.hpp"

namespace iqa {

void *scratch::reserve(size_t bytes, const char *purpose)
{
    if (bytes > size_) {
        void *larger = source_.allocate(bytes, purpose);
        try {
            source_.clear(larger, bytes);
        } catch (...) {
            source_.deallocate(larger, bytes);
            throw;
        }
        source_.deallocate(memory_, size_);
        memory_ = larger;
        size_ = bytes;
    }
    return memory_;
}

} // namespace iqa

// SPDX-License-Identifier: MIT
#include "cuda/ptx/shared_memory.hpp"

#include <algorithm>

namespace test::ptx {

void shared_memory::start(size_t bytes)
{
    constexpr char poison = char(0xa5);
    data_.assign(bytes, poison);
    words_.resize((bytes + 3) / 4);
    bytes_.resize(words_.size() * 4);
    pass_barrier();
}

int shared_memory::touch_bytes(size_t word, size_t begin, size_t end, int thread, access kind, int line)
{
    cell &whole = words_[word];
    if (whole.epoch != epoch_)
        whole = {epoch_, 0, 0, 0, false};
    if (!whole.is_split)
        std::fill_n(&bytes_[word * 4], 4, whole);
    whole.is_split = true;
    int other = 0;
    for (size_t i = std::max(begin, word * 4); i < std::min(end, word * 4 + 4) && other == 0; ++i)
        other = mark(bytes_[i], thread, kind, line);
    return other;
}

} // namespace test::ptx

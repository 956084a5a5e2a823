// SPDX-License-Identifier: MIT
// Results for single samples: the cells of the sample that is being counted, and its scores when it is complete.
#pragma once

#include <algorithm>

#include "backend/confusion.hpp"
#include "cpu/confusion/label_source.hpp"

namespace iqa {

class current_sample {
public:
    explicit current_sample(const sample_plan *plan) noexcept : plan_(plan) {}

    bool is_wanted() const { return plan_ != nullptr; }
    confusion_layout layout() const { return plan_->layout; }
    int64_t lanes() const { return is_wanted() ? lanes_of(plan_->layout) : 0; }
    int64_t *cells() const { return cells_; }

    // The size of the memory that place() takes: a multiple of 64.
    int64_t bytes() const
    {
        return round_up(lanes() * int64_t(sizeof(int64_t)) + classes() * int64_t(sizeof(class_counts)), 64);
    }

    // Returns the address after its memory.
    std::byte *place(std::byte *memory)
    {
        counts_ = reinterpret_cast<class_counts *>(memory);
        cells_ = reinterpret_cast<int64_t *>(counts_ + classes());
        return memory + bytes();
    }

    void begin() const { std::fill_n(cells_, lanes(), 0); }

    void finish(int64_t sample) const
    {
        score_reader reader = plan_->reader;
        reader.counts = counts_;
        for (int64_t k = 0; k < reader.classes; ++k)
            counts_[k] = count_class(*plan_, cells_, sample, k);
        for (int64_t k = 0; k < reader.classes; ++k)
            store_score_of_class(*plan_, reader, sample, k);
        store_score(*plan_, reader, sample);
        for (int64_t entry = 0; entry < plan_->entries; ++entry) {
            add_entry(*plan_, reader, entry);
            exact_carry(unit_format, plan_->sums + entry * unit_format.digits);
        }
    }

private:
    int64_t classes() const { return is_wanted() ? plan_->reader.classes : 0; }

    const sample_plan *plan_;
    class_counts *counts_ = nullptr;
    int64_t *cells_ = nullptr;
};

} // namespace iqa

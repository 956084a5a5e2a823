// SPDX-License-Identifier: MIT
// Confusion counts of label maps, pair by pair and in total.
#pragma once

#include "files/image.hpp"

#include <iqa.hpp>

#include <optional>
#include <string>
#include <vector>

namespace iqa_tool {

// The rules of counting and of scores.
struct label_rules {
    std::vector<std::string> names; // of each class; "" for none
    std::vector<uint8_t> excluded;  // of each class: 1 leaves it out of averages
    std::optional<int64_t> ignored;
    iqa_confusion_options counting = IQA_CONFUSION_OPTIONS_INIT; // as the command line states them
    std::vector<int32_t> averages; // IQA_AVERAGE_...; the first is that of the headline numbers
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;

    int32_t classes() const noexcept { return static_cast<int32_t>(names.size()); }
    // False: a matrix would take too much memory, so each class is counted alone.
    bool has_matrix() const noexcept { return classes() <= most_classes_of_matrix; }
    // The reading, with another average.
    iqa_confusion_reading with(int32_t average) const noexcept;
    // Whether files are samples whose scores are averaged.
    bool scores_files() const noexcept;

    static constexpr int32_t most_classes_of_matrix = 2048;
};

// The results of one pair of files. The means are over classes.
struct pair_scores {
    int64_t pixels = 0, ignored = 0, invalid = 0;
    double accuracy = 0, iou = 0, dice = 0;
};

// Throws image_error about the prediction unless both have the same size and orientation.
void check_sizes(const image &reference, const image &prediction);

// One thread's counts.
class label_counter {
public:
    // `rules` must outlive it. Throws iqa::error for rules that the library refuses.
    label_counter(const label_rules &rules, const iqa_context_options &options);

    // Counts one pair and adds it to the total. Throws iqa::error; the total is then as it was.
    pair_scores count(const image &reference, const image &prediction);

    // Adds what another thread has counted.
    void merge(const label_counter &other) { total_.merge(other.total_); }

    const iqa::metric &total() const noexcept { return total_; }

private:
    const label_rules &rules_;
    iqa::context context_;
    iqa::metric pair_, total_;
};

// A label outside the classes that is not ignored.
struct outside_label {
    int64_t count = 0; // all of them; the rest describes the first
    int64_t y = 0, x = 0, label = 0;
    bool in_reference = false;

    std::string text(const label_rules &rules) const;
};

// Finds the labels that make an update fail.
outside_label find_outside(const label_rules &rules, const image &reference, const image &prediction);

} // namespace iqa_tool

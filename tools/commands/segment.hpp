// SPDX-License-Identifier: MIT
// `iqa segment`: the results of all label maps, and the files written from them.
#pragma once

#include "measuring/label_counter.hpp"
#include "measuring/pair_run.hpp"
#include "options/library_options.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace iqa_tool {

struct segment_options {
    std::string prediction, reference; // two folders or two files
    bool are_folders = false;
    std::string csv_path, json_path, matrix_path;
    int32_t matrix_field = IQA_FIELD_CONFUSION_MATRIX_BY_ROW;
    label_rules rules;
    iqa_context_options context = IQA_CONTEXT_OPTIONS_INIT;
    decode_options decode{.as_labels = true};
    bool recursive = false;
    bool ignore_unmatched = false;
};

struct segment_result : pair_outcome {
    int64_t height = 0, width = 0;
    pair_scores scores;
};

using segment_report = pair_report<segment_result>;

// The options of the library's tables.
std::vector<library_option> options_of(label_rules &rules);

// The CSV file's column names, and one of its lines.
extern const char *const segment_csv_header;
void write_segment_row(std::ostream &out, const segment_result &result);

// The table of classes and the totals; neither if `total` is NULL because no pair was counted.
void print_segment(std::ostream &out, const segment_options &options, const segment_report &report,
                   const iqa::metric *total);

void write_segment_json(std::ostream &out, const segment_options &options, const segment_report &report,
                        const iqa::metric *total, const iqa::context &context);

// The confusion matrix: a picture or numbers, by the ending of the file name. Throws file_error.
void write_matrix(const segment_options &options, const iqa::metric &total);

} // namespace iqa_tool

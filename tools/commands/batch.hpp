// SPDX-License-Identifier: MIT
// `iqa batch`: the results of all pairs, and the files written from them.
#pragma once

#include "measuring/measure.hpp"
#include "measuring/pair_run.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace iqa_tool {

struct batch_options {
    settings chosen;
    std::string reference_folder, test_folder;
    std::string csv_path, json_path;
    int worst = 10;
    bool recursive = false;
    bool ignore_unmatched = false;
};

struct pair_result : pair_outcome {
    std::array<int64_t, 4> shape{};
    const char *dtype = "";
    pair_values values{};
};

struct batch_report : pair_report<pair_result> {
    using pair_report::pair_report;
    total_values total;

    // The measured pairs, lowest SSIM first (NaN before all), equal ones by name.
    std::vector<const pair_result *> worst(std::size_t most) const;
};

// The CSV file's column names, and one of its lines (RFC 4180, ending in \n).
extern const char *const csv_header;
void write_csv_row(std::ostream &out, const pair_result &result);

void write_batch_json(std::ostream &out, const batch_options &options, const batch_report &report,
                      const iqa::context &context);

void print_summary(std::ostream &out, const batch_options &options, const batch_report &report);

} // namespace iqa_tool

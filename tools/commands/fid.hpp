// SPDX-License-Identifier: MIT
//
// The parts of `iqa fid`: what is asked for, the run over all files, and what comes out.
#pragma once

#include "files/feature_file.hpp"

#include <iqa.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace iqa_tool {

/** The names of the two sets, by IQA_FID_REFERENCE and IQA_FID_CANDIDATE. */
constexpr const char *fid_side_names[2] = {"reference", "candidate"};

struct fid_options {
    iqa_context_options context = IQA_CONTEXT_OPTIONS_INIT;
    std::array<std::vector<std::string>, 2> paths; // files and folders of each set; the second set may be missing
    feature_options input;
    iqa_fid_options grid = IQA_FID_OPTIONS_INIT;
    bool has_fraction_bits = false, has_word_bits = false; // else as the state files have it, or the defaults
    std::string stats_path;                                // where the reference set's statistics go, or ""
    bool as_json = false;
};

/** One of the two sets. */
struct fid_set {
    std::vector<feature_file> files;
    std::optional<feature_statistics> statistics; // where the set is a file of these
    std::optional<int64_t> rows;                  // where it is not

    bool is_given() const noexcept { return !files.empty(); }
};

/** In the order of iqa_fid_from_statistics(). */
struct fid_values {
    double value, raw, mean_term, traces[2], trace_term, ranks[2];
};

struct fid_report {
    std::array<fid_set, 2> sets;
    iqa_fid_options grid = IQA_FID_OPTIONS_INIT; // with D
    std::optional<fid_values> values;            // where there are two sets
};

/** Reads all files, writes the statistics and computes. Throws file_error. */
fid_report run_fid(const fid_options &options);

} // namespace iqa_tool

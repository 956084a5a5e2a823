// SPDX-License-Identifier: MIT
// `iqa fid`: its options, the run over all files, and the report.
#pragma once

#include "files/feature_file.hpp"

#include <iqa.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace iqa_tool {

// The names of the two sets, by IQA_FID_REFERENCE and IQA_FID_CANDIDATE.
constexpr const char *fid_side_names[2] = {"reference", "candidate"};

struct fid_options {
    iqa_context_options context = IQA_CONTEXT_OPTIONS_INIT;
    std::array<std::vector<std::string>, 2> paths; // files and folders of each set; the second set may be missing
    feature_options input;
    std::string weights_path; // of the network that makes features of pictures; "": files hold features
    iqa_network_options network = IQA_NETWORK_OPTIONS_INIT;
    bool recursive = false; // folders of pictures: also the folders inside
    iqa_fid_options grid = IQA_FID_OPTIONS_INIT;
    bool has_fraction_bits = false, has_word_bits = false; // false: from the state files, or the default
    std::string stats_path; // the file for the reference set's statistics; "": not written
    bool as_json = false;
};

// One of the two sets.
struct fid_set {
    std::vector<feature_file> files;
    std::optional<feature_statistics> statistics; // of a set that is one file of statistics
    std::optional<int64_t> rows;                  // of any other set

    bool is_given() const noexcept { return !files.empty(); }
};

// In the order of iqa_fid_from_statistics().
struct fid_values {
    double value, raw, mean_term, traces[2], trace_term, ranks[2];
};

struct fid_report {
    std::array<fid_set, 2> sets;
    iqa_fid_options grid = IQA_FID_OPTIONS_INIT; // and the number of features
    std::optional<fid_values> values;            // only with two sets
    std::string weights;                         // the digest of the network's weights; "": no network
    std::vector<std::string> refused;            // what is wrong with the pictures that could not be read
};

// Reads all files, writes the statistics and computes. Throws file_error.
fid_report run_fid(const fid_options &options);

} // namespace iqa_tool

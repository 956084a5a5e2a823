// SPDX-License-Identifier: MIT
// `iqa fid`: its options, the run over all files, and the report.
#pragma once

#include "files/feature_file.hpp"
#include "measuring/set_metrics.hpp"

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
    iqa_fid_options layer = IQA_FID_OPTIONS_INIT; // of it, `layer` alone
    bool recursive = false;                       // folders of pictures: also the folders inside
    bool wants_fid = true;
    std::vector<const set_metric *> others; // what is measured beside FID
    set_metric_options of_others;
    std::string resume_path;   // the file by which an interrupted run goes on; "": none
    std::string features_path; // the file for the reference set's features; "": not written
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
    std::size_t pictures = 0;                     // among the files

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
    std::vector<std::pair<const set_metric *, std::vector<named_value>>> others;
    feature_origin origin;                // of the features, as far as a file or the network states it
    std::vector<std::string> unstated;    // files that do not state it, where others do
    std::vector<std::string> refused;     // what is wrong with the pictures that could not be read
    std::optional<std::size_t> left = {}; // pictures of a run that the user interrupted
};

// Reads all files, writes the statistics and computes. Throws file_error.
fid_report run_fid(const fid_options &options);

} // namespace iqa_tool

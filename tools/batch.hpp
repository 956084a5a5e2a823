// SPDX-License-Identifier: MIT
//
// The parts of `iqa batch`: a run over all pairs by many threads, and what is written of it.
#pragma once

#include "measure.hpp"
#include "pairing.hpp"

#include <atomic>
#include <functional>
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

struct pair_result {
    enum class state { pending, measured, failed };

    file_pair names;
    state outcome = state::pending;
    std::array<int64_t, 4> shape{};
    const char *dtype = "";
    pair_values values{};
    std::string error{}; // with the name of the file
};

struct batch_report {
    std::vector<pair_result> results; // in the order of the pairs; those that an interrupt left out are pending
    std::vector<std::string> lone_references, lone_tests;
    total_values total;
    bool interrupted = false;

    std::size_t count(pair_result::state outcome) const;
    /** The measured pairs, lowest SSIM first (NaN before all), equal ones by name. */
    std::vector<const pair_result *> worst(std::size_t most) const;
};

/** Becomes true when the user presses Ctrl-C (or the program is asked to end). */
extern std::atomic<bool> interrupted;

/** Measures all pairs on all threads, each with one pair in memory at a time. `watch` is called on the calling thread,
 *  about ten times a second and at the end, with the results so far and how many are done; rows before the first
 *  pending one do not change any more. */
void run_batch(const batch_options &options, std::vector<pair_result> &results, total_values &total,
               const std::function<void(const std::vector<pair_result> &, std::size_t)> &watch);

/** One line of CSV (RFC 4180, lines end with \n). */
void write_csv_header(std::ostream &out);
void write_csv_row(std::ostream &out, const pair_result &result);

void write_batch_json(std::ostream &out, const batch_options &options, const batch_report &report,
                      const iqa::context &context);

void print_summary(std::ostream &out, const batch_options &options, const batch_report &report);

} // namespace iqa_tool

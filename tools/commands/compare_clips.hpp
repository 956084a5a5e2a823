// SPDX-License-Identifier: MIT
// `iqa compare` for clips.
#pragma once

#include "files/clip.hpp"
#include "options/options.hpp"

#include <optional>

namespace iqa_tool {

struct clip_options {
    settings chosen;
    std::string reference, test; // names of the files
    std::string csv_path;        // "" for none
    std::optional<clip_format> raw;
    bool shortest = false;
    bool as_json = false;
    bool verbose = false;
};

// Compares two clips frame by frame, prints what was asked for and returns the exit code.
int compare_clips(const clip_options &options, file_handle reference, file_handle test);

} // namespace iqa_tool

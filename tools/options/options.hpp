// SPDX-License-Identifier: MIT
// The options that `iqa compare` and `iqa batch` share: every field of the library's options under its own name.
#pragma once

#include "files/image.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iqa_tool {

// Exit codes of the program; interrupt.hpp has those after a signal.
enum exit_code { exit_fine = 0, exit_below_threshold = 1, exit_error = 2 };

struct threshold {
    std::string metric; // "ssim" or "psnr"
    double least;
};

// A rectangle of a picture.
struct region {
    int64_t y, x, height, width;
};

struct settings {
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    iqa_context_options context = IQA_CONTEXT_OPTIONS_INIT;
    decode_options decode;
    alpha_policy alpha = alpha_policy::opaque;
    std::vector<threshold> fail_under;
    std::optional<region> roi;
    std::string mask_path;             // "" for none
    std::shared_ptr<const image> mask; // its content, see read_mask()

    // PSNR's decides, since a preset may state one for SSIM alone.
    bool data_range_is_stated() const noexcept { return psnr.data_low <= psnr.data_high; }
};

// Adds the options to a command; `target` must outlive it.
void add_metric_options(CLI::App &command, settings &target);

// Adds --page, --orientation and --max-pixels to a group of --help.
void add_file_options(CLI::App &command, decode_options &target, const std::string &group);

// The word of --orientation, or null.
nlohmann::ordered_json orientation_as_json(orientation_policy policy);

// Adds --threads and --instruction-set.
void add_context_options(CLI::App &command, iqa_context_options &target);

// The options as an object with the fields of the C structs.
nlohmann::ordered_json options_as_json(settings chosen);

} // namespace iqa_tool

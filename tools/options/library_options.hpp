// SPDX-License-Identifier: MIT
// Options of the program that are fields of the library's structs. Their names, words, defaults and help come from the
// library's tables; the library checks their bounds.
#pragma once

#include <iqa_c.h>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace iqa_tool {

// The library's descriptions of all options of a kind, such as "ssim", or of one.
std::vector<iqa_option_info> described(const char *kind);
iqa_option_info described(const char *kind, std::string_view name);

// The word for a value of an option: "as-ratio".
std::string word_of(const char *kind, std::string_view name, double value);

// An option, and its field in every struct that has it.
struct library_option {
    iqa_option_info info;
    std::vector<void *> fields;
};

// An option whose field is in `options`.
library_option option_of(const iqa_option_info &info, void *options);

// All options of a kind without those in `left_out`, presets and lists, which have forms of their own.
std::vector<library_option> options_but(const std::vector<std::string_view> &left_out, const char *kind, void *options);

// Adds an option that stores into all fields; these must outlive the command.
CLI::Option *add_library_option(CLI::App &command, const library_option &option);

// Adds options to a group of --help, and for each group of the table an option that sets its fields together.
void add_library_options(CLI::App &command, const std::vector<library_option> &options, const std::string &heading);

// Sets a key of `object`, named like the option, to the value of the first field.
void put_value(nlohmann::ordered_json &object, const library_option &option);

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// Kinds of options by name, and metrics from text.
#pragma once

#include <string_view>

#include "metrics/metrics.hpp"

namespace iqa {

struct option_kind {
    const option_table &table;
    iqa_metric *(*create)(context &owner, std::string_view options); // nullptr: no metric, and ...
    const char *instead;                                             // ... this takes its options
};

std::span<const option_kind> option_kinds() noexcept;

// Throws for an unknown name; the text lists the names, only those of metrics with `of_metric`.
const option_kind &kind_of_options(std::string_view name, bool of_metric = false);

iqa_metric *create_from_text(context &owner, std::string_view kind, std::string_view options);

} // namespace iqa

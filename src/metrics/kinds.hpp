// SPDX-License-Identifier: MIT
// Every kind of options in one table: its name, and of a metric how it is made of text and of a state file.
#pragma once

#include <optional>
#include <string_view>

#include "metrics/metrics.hpp"

namespace iqa {

struct option_kind {
    const option_table &table;
    std::optional<metric_kind> metric =
        std::nullopt; // as states have it; nullopt: no metric, `instead` takes the options
    iqa_metric *(*from_text)(context &owner, std::string_view options) = nullptr;
    iqa_metric *(*from_state)(context &owner, const state_parts &parts) = nullptr; // without the lanes
    const char *instead = nullptr;
};

std::span<const option_kind> option_kinds() noexcept;

// Throws for an unknown name; the text lists the names, only those of metrics with `of_metric`.
const option_kind &kind_of_options(std::string_view name, bool of_metric = false);

iqa_metric *create_from_text(context &owner, std::string_view kind, std::string_view options);
iqa_metric *create_from_state(context &owner, std::span<const std::byte> bytes);

} // namespace iqa

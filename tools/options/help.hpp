// SPDX-License-Identifier: MIT
// The layout of --help.
#pragma once

#include <memory>

namespace CLI {
class Formatter;
}

namespace iqa_tool {

// Options one below another, text wrapped to 100 columns, defaults in brackets.
std::shared_ptr<CLI::Formatter> help_formatter();

} // namespace iqa_tool

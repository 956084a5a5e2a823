// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace CLI {
class Formatter;
}

namespace iqa_tool {

/** How --help looks: one option after another, text wrapped to 100 columns, defaults in brackets. */
std::shared_ptr<CLI::Formatter> help_formatter();

} // namespace iqa_tool

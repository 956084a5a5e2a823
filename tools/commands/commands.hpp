// SPDX-License-Identifier: MIT
// The commands. Each adds its options to the parser and returns the function to run if it is chosen, which returns the
// exit code.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace iqa_tool {

using command_function = std::function<int()>;

command_function add_compare(CLI::App &command);
command_function add_batch(CLI::App &command);
command_function add_segment(CLI::App &command);
command_function add_fid(CLI::App &command);
command_function add_info(CLI::App &command);

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
//
// iqa: image quality from the command line.
#include "commands.hpp"
#include "file_error.hpp"
#include "help.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <new>

namespace {

using namespace iqa_tool;

/** One line on stderr. */
int report_error(const std::string &text)
{
    std::cerr << "iqa: " << one_line(text) << '\n';
    return exit_error;
}

/** Until 1.0 a program runs with a library of the same major and minor version. */
bool library_fits()
{
    return iqa_library_version() >> 8 == IQA_VERSION >> 8;
}

int run(int count, char **arguments)
{
    if (!library_fits())
        return report_error("the library has version " + version_text(iqa_library_version()) +
                            ", but this program was made for " + version_text(IQA_VERSION));
    CLI::App parser("Image quality: SSIM, PSNR and MSE of pictures; IoU and Dice of label maps.", "iqa");
    parser.set_version_flag("--version", "iqa " + version_text(iqa_library_version()));
    parser.require_subcommand(1);
    parser.footer("Exit code: 0 fine, 1 a value is below --fail-under, 2 an error, 130 interrupted.\n"
                  "`iqa COMMAND --help` lists the options of a command.");
    parser.formatter(help_formatter());

    std::vector<std::pair<CLI::App *, command_function>> commands;
    const auto add = [&](const char *name, const char *help, command_function (*add_command)(CLI::App &)) {
        CLI::App *command = parser.add_subcommand(name, help)->group("Commands");
        commands.emplace_back(command, add_command(*command));
    };
    add("compare", "Compare two pictures or clips", add_compare);
    add("batch", "Compare the pictures of two folders, paired by name", add_batch);
    add("segment", "Compare predicted label maps with true ones: IoU, Dice, confusion matrix", add_segment);
    add("fid", "The Frechet distance of two sets of features (FID)", add_fid);
    add("info", "Show versions, instruction set, threads, CUDA and formats", add_info);

    try {
        parser.parse(count, arguments);
    } catch (const CLI::ParseError &problem) {
        if (problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
            return parser.exit(problem); // --help and --version
        const bool has_command =
            std::any_of(commands.begin(), commands.end(), [](const auto &entry) { return entry.first->parsed(); });
        std::string names;
        for (const auto &[command, run_command] : commands)
            names += (names.empty() ? "" : ", ") + command->get_name();
        return report_error(has_command ? problem.what() : "state a command: " + names + " (iqa --help)");
    }
    for (const auto &[command, run_command] : commands)
        if (command->parsed()) {
            const int code = run_command();
            if (!std::cout.flush())
                return report_error("the standard output cannot be written");
            return code;
        }
    return exit_error;
}

} // namespace

int main(int count, char **arguments)
{
    try {
        return run(count, arguments);
    } catch (const std::bad_alloc &) {
        return report_error("out of memory");
    } catch (const std::exception &problem) {
        return report_error(problem.what());
    }
}

// SPDX-License-Identifier: MIT
// iqa: image quality from the command line.
#include "commands/commands.hpp"
#include "files/file_error.hpp"
#include "files/interrupt.hpp"
#include "measuring/report.hpp"
#include "options/help.hpp"
#include "options/suggestion.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fcntl.h>
#include <iostream>
#include <new>
#include <unistd.h>

namespace {

using namespace iqa_tool;

// One line on stderr.
int report_error(const std::string &text)
{
    std::cerr << "iqa: " << one_line(text) << '\n';
    return exit_error;
}

// Until 1.0 a program runs with a library of the same major and minor version.
bool library_fits()
{
    return iqa_library_version() >> 8 == IQA_VERSION >> 8;
}

// Occupies the closed ones of the standard descriptors, so that no opened file gets their number and is written into.
// They are opened the wrong way round: using one stays an error.
void occupy_standard_descriptors()
{
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(descriptor, F_GETFD) == -1 &&
            open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor)
            _exit(exit_error); // without descriptors there is nowhere to report
}

using command_list = std::vector<std::pair<CLI::App *, command_function>>;

// "; did you mean ...?" for a mistyped option.
std::string suggested_option(const command_list &commands, int count, char **arguments)
{
    for (const auto &[command, run_command] : commands) {
        if (!command->parsed())
            continue;
        std::vector<std::string> names;
        for (const CLI::Option *option : command->get_options())
            for (const std::string &name : option->get_lnames())
                names.push_back("--" + name);
        for (const std::string_view argument : std::vector<std::string_view>(arguments + 1, arguments + count)) {
            const std::string name(argument.substr(0, argument.find('=')));
            if (name.starts_with("--") && std::find(names.begin(), names.end(), name) == names.end())
                return suggestion(name, names);
        }
    }
    return "";
}

int run(int count, char **arguments)
{
    if (!library_fits())
        return report_error("the library has version " + version_text(iqa_library_version()) +
                            ", but this program was made for " + version_text(IQA_VERSION));
    CLI::App parser("Image quality: SSIM, PSNR and MSE of pictures; IoU and Dice of label maps.", "iqa");
    parser.set_version_flag("-V,--version", "iqa " + version_text(iqa_library_version()));
    parser.require_subcommand(1);
    parser.footer("Exit code: 0 fine, 1 a value is below --fail-under, 2 an error, 130 interrupted, 143 ended.\n"
                  "`iqa COMMAND --help` lists the options of a command.");
    parser.formatter(help_formatter());

    command_list commands;
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
        if (has_command)
            return report_error(problem.what() + suggested_option(commands, count, arguments));
        std::vector<std::string> names;
        for (const auto &[command, run_command] : commands)
            names.push_back(command->get_name());
        return report_error("state a command: " + CLI::detail::join(names, ", ") + " (iqa --help)" +
                            (count > 1 ? suggestion(arguments[1], names) : ""));
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
    occupy_standard_descriptors();
    catch_signals();
    try {
        return run(count, arguments);
    } catch (const std::bad_alloc &) {
        return report_error("out of memory");
    } catch (const std::exception &problem) {
        return report_error(text_of(problem));
    }
}

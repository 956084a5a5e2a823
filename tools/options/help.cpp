// SPDX-License-Identifier: MIT
#include "options/help.hpp"

#include <CLI/CLI.hpp>

#include <sstream>

namespace iqa_tool {

namespace {

constexpr std::size_t line_width = 100;
constexpr std::size_t text_column = 34;

// Wraps text; all lines but the first are indented.
std::string wrapped(const std::string &text, std::size_t start_column)
{
    std::istringstream words(text);
    std::string lines, word;
    std::size_t column = start_column;
    while (words >> word) {
        if (column > start_column && column + word.size() + 1 > line_width) {
            lines += "\n" + std::string(text_column, ' ');
            column = text_column;
            start_column = text_column;
        } else if (column > start_column) {
            lines += ' ';
            ++column;
        }
        lines += word;
        column += word.size();
    }
    return lines + "\n";
}

class formatter : public CLI::Formatter {
public:
    std::string make_group(std::string group, bool is_positional,
                           std::vector<const CLI::Option *> options) const override
    {
        std::string text = "\n" + (is_positional ? std::string("Files") : group) + ":\n";
        for (const CLI::Option *option : options)
            text += make_option(option, is_positional);
        return text;
    }

    std::string make_option(const CLI::Option *option, bool is_positional) const override
    {
        std::string left = "  " + make_option_name(option, is_positional);
        if (!is_positional && option->get_type_size() != 0)
            left += " " + option->get_type_name();
        std::string right = option->get_description();
        if (!option->get_default_str().empty())
            right += " [" + option->get_default_str() + "]";
        left += left.size() + 2 <= text_column ? std::string(text_column - left.size(), ' ')
                                               : "\n" + std::string(text_column, ' ');
        return left + wrapped(right, text_column);
    }
};

} // namespace

std::shared_ptr<CLI::Formatter> help_formatter()
{
    const auto made = std::make_shared<formatter>();
    made->column_width(text_column);
    made->label("SUBCOMMAND", "COMMAND");
    made->label("Subcommands", "Commands");
    return made;
}

} // namespace iqa_tool

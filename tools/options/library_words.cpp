// SPDX-License-Identifier: MIT
#include "options/library_words.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace iqa_tool {

namespace {

struct dictionary {
    std::map<std::string, std::string, std::less<>> words; // of constants
    // The options of fields, first of those that are named otherwise.
    std::map<std::string, std::string, std::less<>> options = {{"mask", "--mask-mode"}, {"out_of_range", "--invalid"}};
};

/** Filled while options are added, before anything can fail. */
dictionary &known()
{
    static dictionary filled;
    return filled;
}

bool is_of_name(char character)
{
    return character == '_' || (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
}

/** Fields are English words too: it is one where the text says what it is, or what it should be. */
bool is_field(std::string_view name, std::string_view before, std::string_view after)
{
    if (before.ends_with("-") || before.ends_with("\""))
        return false; // an option or a name already
    if (name.find('_') != std::string_view::npos || before.ends_with("set "))
        return true;
    for (const std::string_view verb : {" is ", " needs ", " to be ", " to IQA_"})
        if (after.starts_with(verb))
            return true;
    return false;
}

/** "nonfinite" of "IQA_NONFINITE_MASK" where that is a field with an option; "" otherwise. */
std::string option_of_constant(std::string_view constant)
{
    std::string field(constant.substr(std::min<std::size_t>(constant.size(), 4)));
    std::transform(field.begin(), field.end(), field.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    for (std::size_t end = field.rfind('_'); end != std::string::npos; end = field.rfind('_', end - 1)) {
        const auto found = known().options.find(field.substr(0, end));
        if (found != known().options.end())
            return found->second;
        if (end == 0)
            break;
    }
    return "";
}

} // namespace

void note_option(const std::string &option)
{
    if (!option.starts_with("--"))
        return;
    std::string field = option.substr(2);
    std::replace(field.begin(), field.end(), '-', '_');
    known().options.emplace(field, option);
}

void note_word(const char *constant, const std::string &word)
{
    known().words.emplace(constant, word);
}

std::string in_words(const std::string &text)
{
    std::string said;
    for (std::size_t start = 0; start < text.size();) {
        std::size_t end = start;
        while (end < text.size() && is_of_name(text[end]))
            ++end;
        const std::string_view name = std::string_view(text).substr(start, end - start);
        const std::string_view before = std::string_view(text).substr(0, start);
        const auto word = known().words.find(name);
        const auto option = known().options.find(name);
        if (word != known().words.end()) {
            const std::string named = option_of_constant(name);
            if (said.ends_with(" to "))
                said.resize(said.size() - 3);
            const bool is_said = named.empty() || said.find(named) != std::string::npos;
            said += (is_said ? "" : named + " ") + word->second;
        } else if (option != known().options.end() && is_field(name, before, std::string_view(text).substr(end))) {
            said += option->second;
        } else {
            said += name;
        }
        if (end < text.size())
            said += text[end++];
        start = end;
    }
    return said;
}

} // namespace iqa_tool

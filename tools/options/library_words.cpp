// SPDX-License-Identifier: MIT
#include "options/library_words.hpp"

#include "options/library_options.hpp"

#include <CLI/StringTools.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace iqa_tool {

namespace {

// Where the program has its own word: --mask is a file, and elements are pixels.
const std::map<std::string, std::string, std::less<>> other_words = {
    {"mask", "mask-mode"}, {"out_of_range", "invalid"}, {"IQA_OVER_ELEMENTS", "pixels"}, {"IQA_OVER_SAMPLES", "files"}};

std::string dashed(std::string word)
{
    std::replace(word.begin(), word.end(), '_', '-');
    return word;
}

struct dictionary {
    std::map<std::string, std::string, std::less<>> words; // by constant
    std::set<std::string> options;                         // of the program

    dictionary()
    {
        for (int32_t kind = 0; iqa_option_kind(kind) != nullptr; ++kind)
            for (const iqa_option_info &option : described(iqa_option_kind(kind)))
                for (int32_t i = 0; option.type != IQA_OPTION_FLAG && i < option.word_count; ++i)
                    words.emplace(option.words[i].constant, shown_word(option.words[i]));
    }
};

// Options are noted while commands are built, before an error text can need them.
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

// Names of fields are also English words: here it is a field if the text says what it is or should be.
bool is_field(std::string_view name, std::string_view before, std::string_view after)
{
    if (before.ends_with("-") || before.ends_with("\""))
        return false; // already an option, or a quoted name
    if (name.find('_') != std::string_view::npos || before.ends_with("set "))
        return true;
    for (const std::string_view verb : {" is ", " needs ", " to be ", " to IQA_"})
        if (after.starts_with(verb))
            return true;
    return false;
}

// "nonfinite" for "IQA_NONFINITE_MASK", if a field of that name has an option; else "".
std::string option_of_constant(std::string_view constant)
{
    const std::string field =
        CLI::detail::to_lower(std::string(constant.substr(std::min<std::size_t>(constant.size(), 4))));
    for (std::size_t end = field.rfind('_'); end != std::string::npos; end = field.rfind('_', end - 1)) {
        std::string option = option_of_field(field.substr(0, end));
        if (known().options.contains(option))
            return option;
        if (end == 0)
            break;
    }
    return "";
}

} // namespace

std::string option_of_field(const std::string &field)
{
    const auto other = other_words.find(field);
    return "--" + (other != other_words.end() ? other->second : dashed(field));
}

std::string shown_word(const iqa_option_word &word)
{
    const auto other = other_words.find(word.constant);
    return other != other_words.end() ? other->second : dashed(word.name);
}

bool is_same_word(const std::string &a, const std::string &b)
{
    return CLI::detail::to_lower(dashed(a)) == CLI::detail::to_lower(dashed(b));
}

void note_option(const std::string &option)
{
    known().options.insert(option);
}

std::string in_words(const std::string &text)
{
    std::string said;
    for (std::size_t start = 0; start < text.size();) {
        std::size_t end = start;
        while (end < text.size() && is_of_name(text[end]))
            ++end;
        const std::string name = text.substr(start, end - start), option = option_of_field(name);
        const std::string_view before = std::string_view(text).substr(0, start);
        const auto word = known().words.find(name);
        if (word != known().words.end()) {
            const std::string named = option_of_constant(name);
            if (said.ends_with(" to "))
                said.resize(said.size() - 3);
            const bool is_said = named.empty() || said.find(named) != std::string::npos;
            said += (is_said ? "" : named + " ") + word->second;
        } else if (known().options.contains(option) && is_field(name, before, std::string_view(text).substr(end))) {
            said += option;
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

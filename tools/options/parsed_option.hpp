// SPDX-License-Identifier: MIT
// Options that are words or numbers, with one form of error text.
#pragma once

#include "files/number.hpp"
#include "options/library_words.hpp"
#include "options/suggestion.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace iqa_tool {

template <typename value>
struct choice {
    std::string name;
    value meaning;
};

template <typename value>
using choices = std::vector<choice<value>>;

template <typename value>
std::string name_of(const choices<value> &known, value meaning)
{
    for (const choice<value> &word : known)
        if (word.meaning == meaning)
            return word.name;
    return std::to_string(static_cast<int>(meaning));
}

// `parse` stores the text, or returns false for an unknown one.
inline CLI::Option *add_parsed(CLI::App &command, const std::string &name, const std::string &type,
                               const std::string &standard, const std::string &help,
                               std::function<bool(const std::string &)> parse)
{
    note_option(name);
    CLI::Option *option = command.add_option_function<std::string>(
        name,
        [name, type, parse = std::move(parse)](const std::string &text) {
            if (!parse(text))
                throw CLI::ValidationError(
                    name, "expects " + type + ", not \"" + text + "\"" +
                              (parse_number<double>(text) ? "" : suggestion(text, CLI::detail::split(type, '|'))));
        },
        help);
    option->type_name(type);
    return standard.empty() ? option : option->default_str(standard);
}

// An option of fixed words; `store` gets the meaning.
template <typename value>
CLI::Option *add_choice(CLI::App &command, const std::string &name, const choices<value> &known,
                        const std::string &standard, const std::string &help, std::function<void(value)> store)
{
    std::string type;
    for (const choice<value> &entry : known)
        type += (type.empty() ? "" : "|") + entry.name;
    return add_parsed(command, name, type, standard, help, [known, store = std::move(store)](const std::string &text) {
        for (const choice<value> &entry : known)
            if (is_same_word(text, entry.name)) {
                store(entry.meaning);
                return true;
            }
        return false;
    });
}

template <typename value>
CLI::Option *add_choice(CLI::App &command, const std::string &name, value &target, const choices<value> &known,
                        const std::string &help)
{
    return add_choice<value>(command, name, known, name_of(known, target), help,
                             [&target](value meaning) { target = meaning; });
}

// An option that is a number.
template <typename number>
CLI::Option *add_number(CLI::App &command, const std::string &name, const std::string &standard,
                        const std::string &help, std::function<void(number)> store,
                        const std::string &type = std::is_integral_v<number> ? "INTEGER" : "NUMBER")
{
    return add_parsed(command, name, type, standard, help, [store = std::move(store)](const std::string &text) {
        const std::optional<number> value = parse_number<number>(text);
        if (value)
            store(*value);
        return value.has_value();
    });
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
#include "options/library_options.hpp"

#include "options/parsed_option.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <stdexcept>

namespace iqa_tool {

namespace {

std::span<const iqa_option_word> words_of(const iqa_option_info &info)
{
    return {info.words, static_cast<std::size_t>(info.word_count)};
}

// "INTEGER|auto"
std::string type_text(const iqa_option_info &info)
{
    std::string text = info.type == IQA_OPTION_WORD ? "" : info.type == IQA_OPTION_REAL ? "NUMBER" : "INTEGER";
    for (const iqa_option_word &word : words_of(info))
        text += (text.empty() ? "" : "|") + shown_word(word);
    return text;
}

std::string value_text(const iqa_option_info &info, double value)
{
    for (const iqa_option_word &word : words_of(info))
        if (word.value == value)
            return shown_word(word);
    return shortest(value);
}

// Calls `visit` with a number of the field's type.
template <typename visitor>
auto visit_type(const iqa_option_info &info, const visitor &visit)
{
    switch (info.type) {
    case IQA_OPTION_INT64:
        return visit(int64_t{});
    case IQA_OPTION_UINT64:
        return visit(uint64_t{});
    case IQA_OPTION_REAL:
        return visit(double{});
    default:
        return visit(int32_t{});
    }
}

template <typename number>
void write_fields(const library_option &option, number value)
{
    for (void *field : option.fields)
        std::memcpy(field, &value, sizeof value);
}

// False for a text that is neither word nor number.
template <typename number>
bool parse(const library_option &option, const std::string &text)
{
    for (const iqa_option_word &word : words_of(option.info))
        if (is_same_word(shown_word(word), text)) {
            write_fields(option, static_cast<number>(word.value));
            return true;
        }
    const std::optional<number> value = parse_number<number>(text);
    // Users write words, not the integers behind them.
    const bool is_hidden = std::is_integral_v<number> && value &&
                           !parse_number<number>(value_text(option.info, static_cast<double>(*value)));
    if (!value || is_hidden || option.info.type == IQA_OPTION_WORD)
        return false;
    write_fields(option, *value);
    return true;
}

CLI::Option *add(CLI::App &command, const library_option &option, const std::string &name, const std::string &help)
{
    if (option.info.type == IQA_OPTION_FLAG) {
        note_option(name);
        return command.add_flag_callback(
            name, [option] { write_fields(option, int32_t{1}); }, help);
    }
    return add_parsed(command, name, type_text(option.info), value_text(option.info, option.info.default_value), help,
                      [option](const std::string &text) {
                          return visit_type(option.info,
                                            [&]<typename number>(number) { return parse<number>(option, text); });
                      });
}

// The fields of a group as one option.
CLI::Option *add_group(CLI::App &command, const std::vector<library_option> &options, const std::string &group)
{
    library_option whole{};
    std::string names;
    for (const library_option &option : options)
        if (option.info.group == group) {
            whole.info = option.info;
            whole.fields.insert(whole.fields.end(), option.fields.begin(), option.fields.end());
            names += (names.empty() ? "" : " and ") + option_of_field(option.info.name);
        }
    return add(command, whole, option_of_field(group), "Sets " + names);
}

} // namespace

std::vector<iqa_option_info> described(const char *kind)
{
    std::vector<iqa_option_info> options;
    iqa_option_info info = IQA_OPTION_INFO_INIT;
    for (int32_t index = 0; index == 0 || index < info.count; ++index) {
        if (iqa_option_describe(kind, index, &info) != IQA_OK)
            throw std::runtime_error(iqa_context_error(nullptr));
        options.push_back(info);
    }
    return options;
}

iqa_option_info described(const char *kind, std::string_view name)
{
    for (const iqa_option_info &info : described(kind))
        if (info.name == name)
            return info;
    throw std::runtime_error(std::string(kind) + " has no option " + std::string(name));
}

std::string word_of(const char *kind, std::string_view name, double value)
{
    return value_text(described(kind, name), value);
}

library_option option_of(const iqa_option_info &info, void *options)
{
    return {info, {static_cast<char *>(options) + info.offset}};
}

std::vector<library_option> options_but(const std::vector<std::string_view> &left_out, const char *kind, void *options)
{
    std::vector<library_option> found;
    for (const iqa_option_info &info : described(kind)) {
        const bool is_number = info.offset >= 0 && info.length == 1 && info.type != IQA_OPTION_CLASSES;
        if (is_number && std::find(left_out.begin(), left_out.end(), info.name) == left_out.end())
            found.push_back(option_of(info, options));
    }
    return found;
}

CLI::Option *add_library_option(CLI::App &command, const library_option &option)
{
    return add(command, option, option_of_field(option.info.name), in_words(option.info.help));
}

void add_library_options(CLI::App &command, const std::vector<library_option> &options, const std::string &heading)
{
    std::map<std::string, CLI::Option *> groups;
    for (const library_option &option : options) {
        const std::string group = option.info.group;
        if (!group.empty() && !groups.contains(group))
            groups[group] = add_group(command, options, group)->group(heading);
        CLI::Option *added = add_library_option(command, option)->group(heading);
        if (!group.empty())
            added->excludes(groups[group]);
    }
}

void put_value(nlohmann::ordered_json &object, const library_option &option)
{
    std::string key = option_of_field(option.info.name).substr(2);
    std::replace(key.begin(), key.end(), '-', '_');
    // Words are text, unless they are a number.
    visit_type(option.info, [&](auto value) {
        std::memcpy(&value, option.fields.front(), sizeof value);
        const std::string text = value_text(option.info, static_cast<double>(value));
        if (option.info.type == IQA_OPTION_FLAG)
            object[key] = value != 0;
        else if (parse_number<double>(text) == static_cast<double>(value))
            object[key] = value;
        else
            object[key] = text;
    });
}

} // namespace iqa_tool

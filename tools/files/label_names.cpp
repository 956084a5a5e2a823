// SPDX-License-Identifier: MIT
#include "files/label_names.hpp"

#include "files/file_error.hpp"
#include "files/number.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace iqa_tool {

namespace {

constexpr int64_t most_classes = 65536;
constexpr std::size_t most_bytes = std::size_t{1} << 22, most_bytes_of_line = 4096;

std::string trimmed(const std::string &text)
{
    const std::size_t begin = text.find_first_not_of(" \t\r");
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// A field of CSV without its quotes.
std::string unquoted(const std::string &field)
{
    if (field.size() < 2 || field.front() != '"' || field.back() != '"')
        return field;
    std::string text;
    for (std::size_t at = 1; at + 1 < field.size(); ++at) {
        text += field[at];
        if (field[at] == '"' && field[at + 1] == '"' && at + 2 < field.size())
            ++at;
    }
    return text;
}

// One line of the file. `id` is empty on a line without one.
struct name_line {
    std::size_t number;
    std::optional<int64_t> id;
    std::string whole, name;
};

// The lines of a file. Throws if a line or the file is too long for names of classes.
std::vector<std::string> read_text(const std::string &path)
{
    return blame(path, [&path] {
        const file_handle file = open_file(path);
        std::vector<std::string> lines(1);
        std::size_t size = 0;
        for (int next = std::getc(file.get()); next != EOF; next = std::getc(file.get())) {
            if (++size > most_bytes)
                throw image_error("has more than " + std::to_string(most_bytes) + " bytes; names of classes are fewer");
            if (next == '\n')
                lines.emplace_back();
            else if (lines.back().size() < most_bytes_of_line)
                lines.back() += static_cast<char>(next);
            else
                throw image_error("line " + std::to_string(lines.size()) + " is longer than " +
                                  std::to_string(most_bytes_of_line) + " bytes");
        }
        if (std::ferror(file.get()) != 0)
            throw image_error(std::strerror(errno));
        return lines;
    });
}

std::vector<name_line> read_lines(const std::string &path)
{
    std::vector<name_line> lines;
    std::size_t number = 0;
    for (const std::string &line : read_text(path)) {
        ++number;
        const std::string text = trimmed(line);
        if (text.empty())
            continue;
        const std::size_t comma = text.find(',');
        lines.push_back({number, std::nullopt, unquoted(text), ""});
        if (comma != std::string::npos) {
            lines.back().id = parse_number<int64_t>(trimmed(text.substr(0, comma)));
            lines.back().name = unquoted(trimmed(text.substr(comma + 1)));
        }
    }
    return lines;
}

} // namespace

std::vector<std::string> read_class_names(const std::string &path, const std::optional<int64_t> &ignored)
{
    std::vector<name_line> lines = read_lines(path);
    if (!lines.empty() && lines.front().whole == "id,name")
        lines.erase(lines.begin());
    const auto has_id = [](const name_line &line) {
        return line.id.has_value();
    };
    const bool with_ids = std::any_of(lines.begin(), lines.end(), has_id);
    std::vector<std::string> names;
    for (const name_line &line : lines) {
        const auto fail = [&](const std::string &what) {
            throw file_error(path + ":" + std::to_string(line.number), what);
        };
        if (with_ids && !line.id)
            fail("expected \"id,name\" as on other lines, not \"" + line.whole + "\"");
        const int64_t id = with_ids ? *line.id : static_cast<int64_t>(names.size());
        if (with_ids && ignored && id == *ignored)
            continue;
        if (id < 0 || id >= most_classes)
            fail("the class " + std::to_string(id) + " is not from 0 to " + std::to_string(most_classes - 1));
        const auto index = static_cast<std::size_t>(id);
        names.resize(std::max(names.size(), index + 1));
        if (!names[index].empty())
            fail("the class " + std::to_string(id) + " has a name already: " + names[index]);
        names[index] = with_ids ? line.name : line.whole;
    }
    if (names.empty())
        throw file_error(path, "has no names of classes");
    return names;
}

int32_t find_class(const std::string &option, const std::string &text, const std::vector<std::string> &names)
{
    const std::optional<int32_t> number = parse_number<int32_t>(text);
    if (number && *number >= 0 && static_cast<std::size_t>(*number) < names.size())
        return *number;
    const auto named = std::find(names.begin(), names.end(), text);
    if (number || text.empty() || named == names.end())
        throw std::runtime_error(
            one_line(option + ": \"" + text + "\" is no class: they are 0 to " + std::to_string(names.size() - 1)));
    return static_cast<int32_t>(named - names.begin());
}

} // namespace iqa_tool

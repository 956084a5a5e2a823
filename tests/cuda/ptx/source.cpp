// SPDX-License-Identifier: MIT
#include "cuda/ptx/source.hpp"

#include <regex>

namespace test::ptx {

namespace {

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

// Reads the statements of a file.
class reader {
public:
    explicit reader(const std::string &text) : text_(text) {}

    // Returns false at the end. A brace at the start of a statement is a statement; other braces hold operands.
    bool next(statement &found, bool in_body)
    {
        found = {};
        bool blank = false;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '\n')
                ++line_;
            if (c == '/' && text_.compare(at_, 1, "/") == 0) {
                at_ = std::min(text_.find('\n', at_), text_.size());
                continue;
            }
            if (c == ';')
                return true;
            const bool scope = found.text.empty() || !in_body;
            if (scope && (c == '{' || c == '}')) {
                if (found.text.empty())
                    found = {std::string(1, c), line_};
                else
                    --at_; // the text is the head of a function
                return true;
            }
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                blank = !found.text.empty();
                continue;
            }
            if (found.text.empty())
                found.line = line_;
            if (blank)
                found.text += ' ';
            blank = false;
            found.text += c;
            if (c == ':' && found.text.front() == '$')
                return true;
        }
        return false;
    }

private:
    const std::string &text_;
    size_t at_ = 0;
    int line_ = 1;
};

void take_shared(module_source &module, const std::string &text)
{
    static const std::regex form(R"(\.shared (?:\.align (\d+) )?\.[a-z](\d+) ([\w$]+)(?:\[(\d*)\])?)");
    std::smatch parts;
    if (!std::regex_search(text, parts, form))
        return;
    const size_t element = std::stoul(parts[2]) / 8;
    const size_t alignment = parts[1].matched ? std::stoul(parts[1]) : element;
    const std::string count = parts[4];
    const bool added = parts[4].matched && count.empty();
    module.shared[parts[3]] = {alignment, added ? 0 : element * (count.empty() ? 1 : std::stoul(count))};
}

} // namespace

const function_source *module_source::find(std::string_view name) const
{
    for (const function_source &function : functions)
        if (function.name == name)
            return &function;
    return nullptr;
}

std::vector<std::string> split(std::string_view text, char separator)
{
    std::vector<std::string> parts;
    int depth = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : separator;
        depth += c == '{' || c == '[' || c == '(';
        depth -= c == '}' || c == ']' || c == ')';
        if (i < text.size() && (c != separator || depth > 0))
            continue;
        if (const std::string_view part = trimmed(text.substr(begin, i - begin)); !part.empty())
            parts.emplace_back(part);
        begin = i + 1;
    }
    return parts;
}

module_source parse(const std::string &text)
{
    static const std::regex head(R"(\.(entry|func) (?:\([^)]*\) )?([\w$]+) ?\()");
    module_source module;
    reader from(text);
    statement next, before;
    while (from.next(next, false)) {
        if (const size_t at = next.text.find(".target sm_"); at != std::string::npos)
            module.architecture = std::stoi(next.text.substr(at + 11));
        take_shared(module, next.text);
        if (next.text != "{") {
            before = next;
            continue;
        }
        std::smatch parts;
        if (!std::regex_search(before.text, parts, head))
            throw fault("a brace that belongs to no function: " + before.text);
        function_source &function = module.functions.emplace_back(
            function_source{parts[2], parts.str() + parts.suffix().str(), parts[1] == "entry", {}});
        for (int depth = 1; depth > 0;) {
            if (!from.next(next, true))
                throw fault(function.name + " has no end");
            depth += next.text == "{" ? 1 : next.text == "}" ? -1 : 0;
            take_shared(module, next.text);
            function.body.push_back(next);
        }
    }
    return module;
}

} // namespace test::ptx

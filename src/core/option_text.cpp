// SPDX-License-Identifier: MIT
#include "core/option_text.hpp"

#include <array>
#include <charconv>

#include "core/suggestion.hpp"

namespace iqa {

namespace {

struct entry {
    std::string_view key, value;
};

entry entry_of(std::string_view part)
{
    const size_t equals = std::min(part.find('='), part.size());
    if (equals == 0 || equals == part.size())
        fail(IQA_ERROR_INVALID_ARGUMENT, quoted(part), " is no option; expected KEY=VALUE");
    return {trimmed({part.data(), equals}), trimmed({part.data() + equals + 1, part.size() - equals - 1})};
}

// The fields that a key sets: one, or those of a group.
struct selection {
    static constexpr int32_t most = 4; // of a group

    const option_target *target = nullptr;
    std::array<const option_row *, most> rows{};
    int32_t count = 0;
};

selection select(std::string_view key, std::span<const option_target> targets)
{
    selection found;
    for (const option_target &target : targets)
        for (const option_row &row : target.table.rows) {
            if (!row.described)
                continue;
            if (same_word(row.name, key))
                return {&target, {&row}, 1};
            if (same_word(row.group, key) && found.count < selection::most) {
                found.target = &target;
                found.rows[size_t(found.count++)] = &row;
            }
        }
    return found;
}

bool has_presets(const option_target &target)
{
    return !target.table.presets.empty();
}

[[noreturn]] void fail_for_key(std::string_view key, std::span<const option_target> targets)
{
    suggestion likely(key);
    for (const option_target &target : targets) {
        if (has_presets(target))
            likely.consider("preset");
        for (const option_row &row : target.table.rows)
            if (row.described) {
                likely.consider(row.name);
                likely.consider(row.group);
            }
    }
    if (!likely.best().empty())
        fail(IQA_ERROR_INVALID_ARGUMENT, quoted(key), " is no option", suggestion_text(likely.best()));
    fail(IQA_ERROR_INVALID_ARGUMENT, quoted(key), " is no option; expected one that iqa_option_describe() lists");
}

// The values that a field takes beside its words; nullptr: none.
const char *number_beside_words(const option_row &row)
{
    if (row.type == IQA_OPTION_WORD || row.type == IQA_OPTION_FLAG)
        return nullptr;
    if (row.type == IQA_OPTION_REAL)
        return "a number";
    return row.is_odd ? "an odd integer" : "an integer";
}

// `fields`: the most values of the key.
[[noreturn]] void fail_for_value(const entry &item, std::span<const option_word> words, const char *number,
                                 int32_t fields)
{
    suggestion likely(item.value);
    text choices;
    for (size_t i = 0; i < words.size(); ++i) {
        const bool last = i + 1 == words.size() && number == nullptr;
        choices << (i == 0 ? "" : last ? " or " : ", ") << words[i].name;
        likely.consider(words[i].name);
    }
    if (number != nullptr)
        choices << (words.empty() ? "" : " or ") << number;
    if (fields > 1)
        choices << ", or up to " << fields << " of them with ':' between them";
    fail(IQA_ERROR_INVALID_ARGUMENT, item.key, " is ", quoted(item.value), suggestion_text(likely.best()),
         likely.best().empty() ? "; expected " : " Expected ", choices);
}

const option_word *find_word(std::span<const option_word> words, std::string_view name)
{
    for (const option_word &word : words)
        if (same_word(word.name, name))
            return &word;
    return nullptr;
}

void store(const option_row &row, void *options, int32_t index, auto number)
{
    std::memcpy(static_cast<unsigned char *>(options) + row.offset + size_t(index) * row.width(), &number,
                sizeof number);
}

template <class Number>
bool read_number(const option_row &row, void *options, int32_t index, std::string_view value)
{
    Number number{};
    if (const option_word *word = find_word(row.words, value)) {
        number = Number(word->value);
    } else {
        const char *const end = value.data() + value.size();
        const std::from_chars_result result = std::from_chars(value.data(), end, number);
        if (result.ec != std::errc() || result.ptr != end || row.type == IQA_OPTION_WORD)
            return false;
    }
    store(row, options, index, number);
    return true;
}

bool read_value(const option_row &row, void *options, int32_t index, std::string_view value)
{
    switch (row.type) {
    case IQA_OPTION_INT64:
        return read_number<int64_t>(row, options, index, value);
    case IQA_OPTION_UINT64:
        return read_number<uint64_t>(row, options, index, value);
    case IQA_OPTION_REAL:
        return read_number<double>(row, options, index, value);
    default:
        return read_number<int32_t>(row, options, index, value);
    }
}

// Elements without a value become 0.
bool read_array(const option_row &row, void *options, std::string_view values)
{
    std::memset(static_cast<unsigned char *>(options) + row.offset, 0, row.bytes());
    int32_t count = 0;
    bool good = true;
    for_each_part(values, ':', [&](std::string_view value) {
        good = good && count < row.length && read_value(row, options, count, value);
        ++count;
    });
    if (good && row.count_offset != 0)
        std::memcpy(static_cast<unsigned char *>(options) + row.count_offset, &count, sizeof count);
    return good;
}

// One value for all fields, or values for the last fields: an image has no depth.
bool read_group(const selection &fields, std::string_view values)
{
    void *options = fields.target->options;
    const int32_t count = int32_t(std::count(values.begin(), values.end(), ':')) + 1;
    if (count == 1) {
        bool good = true;
        for (int32_t i = 0; i < fields.count; ++i)
            good = good && read_value(*fields.rows[size_t(i)], options, 0,
                                      fields.rows[size_t(i)]->zero_if_alone ? "0" : values);
        return good;
    }
    int32_t next = fields.count - count;
    bool good = next >= 0;
    for_each_part(values, ':', [&](std::string_view value) {
        good = good && read_value(*fields.rows[size_t(next)], options, 0, value);
        ++next;
    });
    return good;
}

void apply_preset(const entry &item, std::span<const option_target> targets)
{
    const auto target = std::find_if(targets.begin(), targets.end(), has_presets);
    if (target == targets.end())
        fail_for_key(item.key, targets);
    const option_word *preset = find_word(target->table.presets, item.value);
    if (preset == nullptr)
        fail_for_value(item, target->table.presets, nullptr, 1);
    target->table.write_preset(target->options, int32_t(preset->value));
}

// Returns true if the value is a list of classes, which is not stored.
bool apply(const entry &item, std::span<const option_target> targets)
{
    const selection fields = select(item.key, targets);
    if (fields.count == 0)
        fail_for_key(item.key, targets);
    const option_row &row = *fields.rows[0];
    if (row.type == IQA_OPTION_CLASSES)
        return true;
    const bool good = row.length > 1     ? read_array(row, fields.target->options, item.value)
                      : fields.count > 1 ? read_group(fields, item.value)
                                         : read_value(row, fields.target->options, 0, item.value);
    if (!good)
        fail_for_value(item, row.words, number_beside_words(row), std::max(row.length, fields.count));
    return false;
}

void check_stated_once(std::string_view whole, const entry &item)
{
    for_each_part(whole, ',', [&](std::string_view part) {
        const entry other = entry_of(part);
        if (other.key.data() < item.key.data() && same_word(other.key, item.key))
            fail(IQA_ERROR_INVALID_ARGUMENT, item.key, " is ", quoted(item.value), ", but it was ", quoted(other.value),
                 " before; expected it once");
    });
}

} // namespace

std::string_view trimmed(std::string_view part) noexcept
{
    while (!part.empty() && part.front() == ' ')
        part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ')
        part.remove_suffix(1);
    return part;
}

text quoted(std::string_view written)
{
    constexpr size_t most = 40;
    text out;
    out << "\"" << std::string_view(written.data(), std::min(written.size(), most));
    return out << (written.size() > most ? "...\"" : "\"");
}

text suggestion_text(std::string_view best)
{
    text out;
    if (!best.empty())
        out << ", did you mean \"" << best << "\"?";
    return out;
}

std::string_view parse_options(std::string_view whole, std::span<const option_target> targets)
{
    std::string_view classes;
    if (trimmed(whole).empty())
        return classes;
    for_each_part(whole, ',', [&](std::string_view part) {
        const entry item = entry_of(part);
        if (same_word(item.key, "preset"))
            apply_preset(item, targets);
    });
    for_each_part(whole, ',', [&](std::string_view part) {
        const entry item = entry_of(part);
        check_stated_once(whole, item);
        if (!same_word(item.key, "preset") && apply(item, targets))
            classes = item.value;
    });
    return classes;
}

} // namespace iqa

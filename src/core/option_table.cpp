// SPDX-License-Identifier: MIT
#include "core/option_table.hpp"

#include <algorithm>

namespace iqa {

namespace {

const unsigned char *address_of(const option_row &row, const void *options, int32_t index)
{
    return static_cast<const unsigned char *>(options) + row.offset + size_t(index) * row.width();
}

template <class Number>
Number number_at(const unsigned char *address)
{
    Number number;
    std::memcpy(&number, address, sizeof number);
    return number;
}

// Calls `visit` with a number of a field, in the field's type.
template <class Visit>
auto visit_number(const option_row &row, const void *options, int32_t index, Visit &&visit)
{
    const unsigned char *address = address_of(row, options, index);
    switch (row.type) {
    case IQA_OPTION_INT64:
        return visit(number_at<int64_t>(address));
    case IQA_OPTION_UINT64:
        return visit(number_at<uint64_t>(address));
    case IQA_OPTION_REAL:
        return visit(number_at<double>(address));
    default:
        return visit(number_at<int32_t>(address));
    }
}

bool is_valid(const option_row &row, double value)
{
    for (const option_word &word : row.words)
        if (value == word.value)
            return true;
    if (row.type == IQA_OPTION_WORD)
        return false;
    const bool above = row.least_is_open ? value > row.least : value >= row.least;
    const bool below = row.most_is_open ? value < row.most : value <= row.most;
    return above && below && !(row.is_odd && int64_t(value) % 2 == 0);
}

// The common prefix of constants: "IQA_BORDER_".
std::string_view family_of(std::span<const option_word> words)
{
    std::string_view family = words.front().constant;
    for (const option_word &word : words) {
        const std::string_view constant = word.constant;
        size_t common = 0;
        while (common < std::min(family.size(), constant.size()) && family[common] == constant[common])
            ++common;
        family = family.substr(0, common);
    }
    return family.substr(0, family.rfind('_') + 1);
}

bool is_written(const option_row &row, size_t width)
{
    return row.is_state_field() && (width == 0 || width == row.width());
}

bool is_real(const option_row &row)
{
    return row.type == IQA_OPTION_REAL;
}

} // namespace

text expected_text(const option_row &row)
{
    text out;
    if (row.expected != nullptr)
        return out << row.expected;
    if (row.type == IQA_OPTION_WORD)
        return out << "an " << family_of(row.words) << " constant";
    if (row.is_odd)
        out << "an odd number from ";
    else if (is_real(row) && row.most == unbounded)
        out << "a finite number " << (row.least_is_open ? "above " : "of at least ");
    out << row.least;
    if (row.most != unbounded)
        out << " to " << row.most;
    else if (!is_real(row))
        out << " or more";
    for (const option_word &word : row.words)
        out << ", or " << word.constant;
    return out;
}

void check_option(const option_row &row, const void *options)
{
    for (int32_t i = 0; i < row.length; ++i)
        visit_number(row, options, i, [&](auto value) {
            if (is_valid(row, double(value)))
                return;
            text name;
            name << row.name;
            if (row.length > 1)
                name << "[" << i << "]";
            fail(IQA_ERROR_INVALID_ARGUMENT, name, " is ", value, "; expected ", expected_text(row));
        });
}

void check_options(const option_table &table, const void *options)
{
    for (const option_row &row : table.rows)
        if (row.checked)
            check_option(row, options);
}

size_t state_bytes(const option_table &table, bool with_later) noexcept
{
    size_t bytes = 0;
    for (const option_row &row : table.rows)
        bytes += row.is_state_field() && (with_later || !row.is_later) ? row.bytes() : 0;
    return bytes;
}

void write_fields(const option_table &table, const void *options, byte_writer &to, size_t width) noexcept
{
    for (const option_row &row : table.rows)
        for (int32_t i = 0; is_written(row, width) && i < row.length; ++i)
            visit_number(row, options, i, [&](auto value) { to.put(value); });
}

void read_fields(const option_table &table, void *options, byte_reader &from, size_t width)
{
    for (const option_row &row : table.rows)
        for (int32_t i = 0; is_written(row, width) && i < row.length; ++i)
            visit_number(row, options, i, [&]<class Number>(Number) {
                const Number value = from.get<Number>();
                std::memcpy(const_cast<unsigned char *>(address_of(row, options, i)), &value, sizeof value);
            });
}

int32_t option_count(const option_table &table)
{
    const auto described =
        std::count_if(table.rows.begin(), table.rows.end(), [](const option_row &row) { return row.described; });
    return int32_t(described) + (table.presets.empty() ? 0 : 1);
}

namespace {

// `preset` comes before the fields, since it is applied before them.
iqa_option_info describe_presets(const option_table &table)
{
    iqa_option_info info{};
    info.name = "preset";
    info.group = "";
    info.type = IQA_OPTION_WORD;
    info.length = 1;
    info.offset = -1;
    info.words = table.presets.data();
    info.word_count = int32_t(table.presets.size());
    info.default_value = std::numeric_limits<double>::quiet_NaN();
    info.least = -unbounded;
    info.most = unbounded;
    info.since = "0.1";
    info.help = "Whose rules the options follow; other options change them further";
    return info;
}

} // namespace

iqa_option_info describe_option(const option_table &table, int32_t index)
{
    const int32_t count = option_count(table);
    if (index < 0 || index >= count)
        fail(IQA_ERROR_INVALID_ARGUMENT, "index is ", index, "; ", table.kind, " has the options 0 to ", count - 1);
    iqa_option_info info{};
    if (!table.presets.empty() && index-- == 0) {
        info = describe_presets(table);
    } else {
        const option_row *row = table.rows.data();
        while (!row->described || index-- > 0)
            ++row;
        info.name = row->name;
        info.group = row->group;
        info.type = row->type;
        info.length = row->length;
        info.offset = int32_t(row->offset);
        info.words = row->words.data();
        info.word_count = int32_t(row->words.size());
        if (row->type != IQA_OPTION_CLASSES)
            info.default_value = visit_number(*row, table.standard, 0, [](auto value) { return double(value); });
        info.least = row->least;
        info.most = row->most;
        info.least_is_open = row->least_is_open;
        info.most_is_open = row->most_is_open;
        info.odd = row->is_odd;
        info.in_state = row->in_state;
        info.since = row->since;
        info.help = row->help;
    }
    info.count = count;
    return info;
}

} // namespace iqa

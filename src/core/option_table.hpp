// SPDX-License-Identifier: MIT
// One row describes each field of an options struct. Defaults, checks, the bytes of a state file, iqa_option_describe()
// and the text of iqa_metric_create() follow from the rows.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

#include "core/options.hpp"
#include "core/state.hpp"

namespace iqa {

using option_word = iqa_option_word;

// A word for a constant of the C header.
#define IQA_WORD(word, constant)                                                                                       \
    iqa::option_word                                                                                                   \
    {                                                                                                                  \
        word, #constant, double(constant)                                                                              \
    }

constexpr double unbounded = std::numeric_limits<double>::infinity();

constexpr option_word flag_words[] = {{"false", "0", 0.0}, {"true", "1", 1.0}};

struct option_row {
    const char *name;
    int32_t type; // IQA_OPTION_...
    size_t offset;
    int32_t length; // of an array; else 1
    const char *group = "";
    std::span<const option_word> words{}; // all values of a word, or special values of a number
    double least = -unbounded, most = unbounded;
    bool least_is_open = false, most_is_open = false; // the bound itself is refused
    bool is_odd = false;
    const char *expected = nullptr; // in error texts; nullptr: follows from the above
    size_t count_offset = 0;        // of an array: the field with its number of used elements
    bool zero_if_alone = false;     // 0 if its group has a single value, which goes to the other fields
    bool in_state = true;           // part of state files; classes stand behind all other fields there
    bool is_later = false;          // states may end before it, and it is 0 then
    bool checked = true;            // by check_options(): the value can be wrong whatever the others are
    bool described = true;          // an option of its own; false: it follows from another one
    const char *since = "0.1";
    const char *help = "";

    // Each returns the row with one more property.
    constexpr option_row flag() const
    {
        option_row row = from(0.0, 1.0).or_word(flag_words).expects("0 or 1");
        row.type = IQA_OPTION_FLAG;
        return row;
    }
    constexpr option_row word(std::span<const option_word> words_of_all) const
    {
        option_row row = or_word(words_of_all);
        row.type = IQA_OPTION_WORD;
        return row;
    }
    constexpr option_row or_word(std::span<const option_word> special) const
    {
        option_row row = *this;
        row.words = special;
        return row;
    }
    constexpr option_row from(double lowest, double highest) const
    {
        option_row row = *this;
        row.least = lowest;
        row.most = highest;
        return row;
    }
    constexpr option_row at_least(double lowest) const
    {
        option_row row = *this;
        row.least = lowest;
        row.most_is_open = true; // no infinity
        return row;
    }
    constexpr option_row above(double bound) const
    {
        option_row row = at_least(bound);
        row.least_is_open = true;
        return row;
    }
    constexpr option_row finite() const
    {
        option_row row = *this;
        row.least_is_open = row.most_is_open = true;
        return row;
    }
    constexpr option_row odd() const
    {
        option_row row = *this;
        row.is_odd = true;
        return row;
    }
    constexpr option_row expects(const char *values) const
    {
        option_row row = *this;
        row.expected = values;
        return row;
    }
    constexpr option_row in_group(const char *name_of_group) const
    {
        option_row row = *this;
        row.group = name_of_group;
        return row;
    }
    constexpr option_row zero_alone() const
    {
        option_row row = *this;
        row.zero_if_alone = true;
        return row;
    }
    constexpr option_row counted_by(size_t offset_of_count) const
    {
        option_row row = *this;
        row.count_offset = offset_of_count;
        return row;
    }
    constexpr option_row outside_of_state() const
    {
        option_row row = *this;
        row.in_state = false;
        return row;
    }
    // It is checked by code that sees the other options.
    constexpr option_row checked_elsewhere() const
    {
        option_row row = *this;
        row.checked = false;
        return row;
    }
    constexpr option_row hidden() const
    {
        option_row row = checked_elsewhere();
        row.described = false;
        return row;
    }
    constexpr option_row new_in(const char *version) const
    {
        option_row row = *this;
        row.since = version;
        return row;
    }
    // It is one of the last of state bytes, which end before such fields where all of them are 0: as states did before
    // there were such fields.
    constexpr option_row later(const char *version) const
    {
        option_row row = new_in(version);
        row.is_later = true;
        return row;
    }
    constexpr option_row says(const char *sentence) const
    {
        option_row row = *this;
        row.help = sentence;
        return row;
    }

    constexpr size_t width() const // of one number
    {
        return type == IQA_OPTION_FLAG || type == IQA_OPTION_INT32 || type == IQA_OPTION_WORD ? 4 : 8;
    }
    constexpr size_t bytes() const { return width() * size_t(length); }
    constexpr bool is_state_field() const { return in_state && type != IQA_OPTION_CLASSES; }
};

template <class Field>
constexpr option_row row_of_field(const char *name, size_t offset)
{
    using number = std::remove_extent_t<Field>;
    constexpr int32_t length = std::is_array_v<Field> ? int32_t(std::extent_v<Field>) : 1;
    if constexpr (std::is_same_v<number, int32_t>)
        return {name, IQA_OPTION_INT32, offset, length};
    else if constexpr (std::is_same_v<number, int64_t>)
        return {name, IQA_OPTION_INT64, offset, length};
    else if constexpr (std::is_same_v<number, uint64_t>)
        return {name, IQA_OPTION_UINT64, offset, length};
    else if constexpr (std::is_same_v<number, double>)
        return {name, IQA_OPTION_REAL, offset, length};
    else
        return option_row{name, IQA_OPTION_CLASSES, offset, length}.checked_elsewhere();
}

#define IQA_OPTION(structure, field) iqa::row_of_field<decltype(structure::field)>(#field, offsetof(structure, field))

// The options of one kind.
struct option_table {
    const char *kind;                 // "ssim"
    const char *structure;            // "iqa_ssim_options"
    const void *standard;             // the defaults
    std::span<const option_row> rows; // in the order of the state bytes
    std::span<const option_word> presets{};
    void (*write_preset)(void *options, int32_t preset) = nullptr;
};

// A preset changes the defaults. Presets are listed in the order of their constants.
template <class Options>
struct option_preset {
    option_word word;
    void (*change)(Options &options);
};

template <class Options, size_t count>
constexpr std::array<option_word, count> words_of(const option_preset<Options> (&presets)[count])
{
    std::array<option_word, count> words{};
    for (size_t i = 0; i < count; ++i)
        words[i] = presets[i].word.value == double(i) ? presets[i].word : throw "not in the order of the constants";
    return words;
}

// Throw for a value that is wrong whatever the other options are.
void check_options(const option_table &table, const void *options);
void check_option(const option_row &row, const void *options);

// The valid values of a field, in terms of the C header.
text expected_text(const option_row &row);

// The fields of a state file. `width`: only fields with numbers of that many bytes; 0: all fields.
size_t state_bytes(const option_table &table, bool with_later = true) noexcept;
void write_fields(const option_table &table, const void *options, byte_writer &to, size_t width = 0) noexcept;
void read_fields(const option_table &table, void *options, byte_reader &from, size_t width = 0);

int32_t option_count(const option_table &table);
iqa_option_info describe_option(const option_table &table, int32_t index);

// A table with the type of its struct.
template <class Options>
struct options_table : option_table {
    constexpr options_table(const char *kind_name, const char *structure_name, const Options &defaults,
                            std::span<const option_row> option_rows, std::span<const option_word> preset_words = {},
                            void (*preset_writer)(void *options, int32_t preset) = nullptr)
        : option_table{kind_name, structure_name, &defaults, option_rows, preset_words, preset_writer}
    {
    }

    const Options &defaults() const { return *static_cast<const Options *>(standard); }
    Options copy(const Options *options) const { return copy_sized(options, defaults(), structure); }
    void init(Options *out, size_t size) const { write_defaults(out, size, defaults(), structure); }
    void check(const Options &options) const { check_options(*this, &options); }
    void check(const char *name, const Options &options) const
    {
        for (const option_row &row : rows)
            if (std::strcmp(row.name, name) == 0)
                return check_option(row, &options);
        fail(IQA_ERROR_INTERNAL, structure, " has no option ", name);
    }

    // The part of `room` that the fields of a state file take.
    std::span<const std::byte> write(const Options &options,
                                     std::array<std::byte, sizeof(Options)> &room) const noexcept
    {
        byte_writer writer(room);
        write_fields(*this, &options, writer);
        const std::span<const std::byte> all = std::span<const std::byte>(room).first(writer.position());
        const size_t first = state_bytes(*this, false);
        for (const std::byte later : all.subspan(first))
            if (later != std::byte{})
                return all;
        return all.first(first);
    }
    Options read(byte_reader from) const
    {
        Options options = defaults();
        std::array<std::byte, sizeof(Options)> completed{};
        if (from.remaining() == state_bytes(*this, false)) {
            byte_writer(completed).put_bytes(from.take(from.remaining()));
            from = byte_reader(std::span<const std::byte>(completed).first(state_bytes(*this)));
        }
        read_fields(*this, &options, from);
        from.expect_end("options");
        return options;
    }
};

} // namespace iqa

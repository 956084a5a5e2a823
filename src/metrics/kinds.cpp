// SPDX-License-Identifier: MIT
#include "metrics/kinds.hpp"

#include <algorithm>
#include <charconv>

#include "core/option_text.hpp"
#include "core/suggestion.hpp"
#include "metrics/network/network.hpp"

namespace iqa {

namespace {

// A metric whose options are one struct, which a state file holds as the table has it.
template <auto &table, auto create>
iqa_metric *made_of_text(context &owner, std::string_view text)
{
    auto options = table.defaults();
    const option_target target{table, &options};
    parse_options(text, {&target, 1});
    return create(owner, options);
}

template <auto &table, auto create>
iqa_metric *made_of_state(context &owner, const state_parts &parts)
{
    return create(owner, table.read(byte_reader(parts.options)));
}

template <auto &table, auto create>
constexpr option_kind plain_metric(metric_kind kind)
{
    return {table, kind, made_of_text<table, create>, made_of_state<table, create>};
}

// Sets a byte for each class: 1 for those of the list.
void read_classes(std::string_view list, std::span<uint8_t> out)
{
    std::fill(out.begin(), out.end(), uint8_t(0));
    for_each_part(list, ':', [&](std::string_view part) {
        int32_t number = 0;
        const char *const end = part.data() + part.size();
        const std::from_chars_result result = std::from_chars(part.data(), end, number);
        if (result.ec != std::errc() || result.ptr != end || number < 0 || size_t(number) >= out.size())
            fail(IQA_ERROR_INVALID_ARGUMENT, "excluded has ", quoted(part), "; expected class numbers from 0 to ",
                 out.size() - 1, " with ':' between them");
        out[size_t(number)] = 1;
    });
}

iqa_metric *confusion_from_text(context &owner, std::string_view text)
{
    iqa_confusion_options options = confusion_option_table.defaults();
    iqa_confusion_reading reading = confusion_reading_table.defaults();
    const option_target targets[] = {{confusion_option_table, &options}, {confusion_reading_table, &reading}};
    const std::string_view excluded = parse_options(text, targets);
    scratch memory(owner);
    if (excluded.data() != nullptr) {
        confusion_option_table.check("classes", options);
        const auto classes = size_t(options.classes);
        const std::span<uint8_t> mask(memory.take<uint8_t>(classes, "the classes to exclude"), classes);
        read_classes(excluded, mask);
        reading.excluded = mask.data();
        reading.excluded_count = options.classes;
    }
    options.reading = &reading;
    return create_confusion(owner, options);
}

constexpr option_kind kinds[] = {
    plain_metric<ssim_option_table, create_ssim>(metric_kind::ssim),
    plain_metric<psnr_option_table, create_psnr>(metric_kind::psnr),
    plain_metric<errors_option_table, create_errors>(metric_kind::errors),
    {fid_option_table, metric_kind::fid, made_of_text<fid_option_table, create_fid>, create_fid_of_state},
    {.table = kid_option_table, .instead = "iqa_measure_kid() measures it at once"},
    {.table = prdc_option_table, .instead = "iqa_measure_prdc() measures it at once"},
    {.table = inception_score_option_table, .instead = "iqa_measure_inception_score() measures it at once"},
    {confusion_option_table, metric_kind::confusion, confusion_from_text, create_confusion_of_state},
    {.table = confusion_reading_table, .instead = "\"confusion\" takes its options too"},
    {.table = network_option_table, .instead = "iqa_network_create() takes its options"},
    {.table = context_option_table, .instead = "iqa_context_create() takes its options"},
};

iqa_metric *create_by_kind(context &owner, const state_parts &parts)
{
    for (const option_kind &kind : kinds)
        if (kind.metric == metric_kind{parts.kind})
            return kind.from_state(owner, parts);
    fail(IQA_ERROR_INCOMPATIBLE, "the state is of metric kind ", parts.kind, ", which this library does not know");
}

} // namespace

std::span<const option_kind> option_kinds() noexcept
{
    return kinds;
}

const option_kind &kind_of_options(std::string_view name, bool of_metric)
{
    suggestion likely(name);
    text names;
    for (const option_kind &kind : kinds) {
        if (same_word(kind.table.kind, name))
            return kind;
        if (of_metric && !kind.metric)
            continue;
        likely.consider(kind.table.kind);
        names << (&kind == kinds ? "" : ", ") << kind.table.kind;
    }
    fail(IQA_ERROR_INVALID_ARGUMENT, "kind is ", quoted(name), suggestion_text(likely.best()),
         likely.best().empty() ? "; expected one of " : " Expected one of ", names);
}

iqa_metric *create_from_text(context &owner, std::string_view name, std::string_view options)
{
    const option_kind &kind = kind_of_options(name, true);
    if (!kind.metric)
        fail(IQA_ERROR_INVALID_ARGUMENT, "kind is ", quoted(name), ", which is no metric: ", kind.instead);
    try {
        return kind.from_text(owner, options);
    } catch (const error &failure) {
        if (failure.status != IQA_ERROR_INVALID_ARGUMENT)
            throw;
        fail(failure.status, kind.table.kind, ": ", failure.message);
    }
}

iqa_metric *create_from_state(context &owner, std::span<const std::byte> bytes)
{
    const state_parts parts = read_state(bytes);
    iqa_metric *metric = create_by_kind(owner, parts);
    try {
        metric->load_lanes(byte_reader(parts.lanes));
    } catch (...) {
        iqa_metric::destroy(metric);
        throw;
    }
    return metric;
}

} // namespace iqa

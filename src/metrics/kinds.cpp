// SPDX-License-Identifier: MIT
#include "metrics/kinds.hpp"

#include <algorithm>
#include <charconv>

#include "core/option_text.hpp"
#include "core/suggestion.hpp"
#include "metrics/network/network.hpp"

namespace iqa {

namespace {

template <class Options>
iqa_metric *create_one(context &owner, std::string_view text, const options_table<Options> &table,
                       iqa_metric *(*create)(context &, const Options &))
{
    Options options = table.defaults();
    const option_target target{table, &options};
    parse_options(text, {&target, 1});
    return create(owner, options);
}

iqa_metric *ssim_from_text(context &owner, std::string_view text)
{
    return create_one(owner, text, ssim_option_table, create_ssim);
}

iqa_metric *psnr_from_text(context &owner, std::string_view text)
{
    return create_one(owner, text, psnr_option_table, create_psnr);
}

iqa_metric *errors_from_text(context &owner, std::string_view text)
{
    return create_one(owner, text, errors_option_table, create_errors);
}

iqa_metric *fid_from_text(context &owner, std::string_view text)
{
    return create_one(owner, text, fid_option_table, create_fid);
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
    {ssim_option_table, ssim_from_text, nullptr},
    {psnr_option_table, psnr_from_text, nullptr},
    {errors_option_table, errors_from_text, nullptr},
    {fid_option_table, fid_from_text, nullptr},
    {kid_option_table, nullptr, "iqa_measure_kid() measures it at once"},
    {inception_score_option_table, nullptr, "iqa_measure_inception_score() measures it at once"},
    {confusion_option_table, confusion_from_text, nullptr},
    {confusion_reading_table, nullptr, "\"confusion\" takes its options too"},
    {network_option_table, nullptr, "iqa_network_create() takes its options"},
    {context_option_table, nullptr, "iqa_context_create() takes its options"},
};

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
        if (of_metric && kind.create == nullptr)
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
    if (kind.create == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "kind is ", quoted(name), ", which is no metric: ", kind.instead);
    try {
        return kind.create(owner, options);
    } catch (const error &failure) {
        if (failure.status != IQA_ERROR_INVALID_ARGUMENT)
            throw;
        fail(failure.status, kind.table.kind, ": ", failure.message);
    }
}

} // namespace iqa

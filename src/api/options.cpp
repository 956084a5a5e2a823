// SPDX-License-Identifier: MIT
// Descriptions of all options.
#include "api/guard.hpp"
#include "metrics/kinds.hpp"

extern "C" {

const char *iqa_option_kind(int32_t number)
{
    const std::span<const iqa::option_kind> kinds = iqa::option_kinds();
    return number < 0 || size_t(number) >= kinds.size() ? nullptr : kinds[size_t(number)].table.kind;
}

iqa_status iqa_option_describe(const char *kind, int32_t index, iqa_option_info *info)
{
    return iqa::guard(nullptr, [&] {
        iqa::require(kind, "kind");
        iqa::require(info, "info");
        iqa::check_struct_size("iqa_option_info", info->struct_size);
        const iqa_option_info found = iqa::describe_option(iqa::kind_of_options(kind).table, index);
        iqa::write_defaults(info, info->struct_size, found, "iqa_option_info");
    });
}

} // extern "C"

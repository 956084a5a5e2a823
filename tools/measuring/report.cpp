// SPDX-License-Identifier: MIT
#include "measuring/report.hpp"

#include "files/number.hpp"

#include <nlohmann/json.hpp>

namespace iqa_tool {

namespace {

using json = nlohmann::ordered_json;

void write_indented(std::ostream &out, const json &value, std::size_t depth)
{
    const std::string indent(2 * depth + 2, ' ');
    const std::string closing_indent(2 * depth, ' ');
    if (value.is_number_float()) {
        const double number = value.get<double>();
        const bool finite = std::isfinite(number);
        out << (finite ? "" : "\"") << shortest(number) << (finite ? "" : "\"");
    } else if (!value.is_structured() || value.empty()) {
        out << value.dump(-1, ' ', false, json::error_handler_t::replace);
    } else {
        const char *separator = "";
        out << (value.is_object() ? '{' : '[');
        for (const auto &[key, element] : value.items()) {
            out << separator << '\n' << indent;
            if (value.is_object())
                out << json(key).dump(-1, ' ', false, json::error_handler_t::replace) << ": ";
            write_indented(out, element, depth + 1);
            separator = ",";
        }
        out << '\n' << closing_indent << (value.is_object() ? '}' : ']');
    }
}

} // namespace

void write_json(std::ostream &out, const json &value)
{
    write_indented(out, value, 0);
    out << '\n';
}

json picture_as_json(const std::string &path, const image &picture)
{
    return {{"file", path},
            {"format", picture.format},
            {"images", picture.shape[axis_image]},
            {"height", picture.height()},
            {"width", picture.width()},
            {"channels", picture.channels()},
            {"dtype", dtype_name(picture.dtype)}};
}

std::string version_text(uint32_t version)
{
    return std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 0xff) + "." +
           std::to_string(version & 0xff);
}

json library_as_json(const iqa::context &context)
{
    return {{"version", version_text(iqa_library_version())},
            {"instruction_set", context.instruction_set()},
            {"threads", context.thread_count()}};
}

std::string psnr_unit(const settings &chosen)
{
    return chosen.psnr.log_base == 10 ? " dB" : "";
}

std::string below_threshold_text(const settings &chosen, double ssim, double psnr)
{
    std::string text;
    for (const auto &[metric, least] : chosen.fail_under) {
        const double value = metric == "ssim" ? ssim : psnr;
        if (!(value >= least))
            text += (text.empty() ? "" : ", ") + metric + " " + shortest(value) + " is below " + shortest(least);
    }
    return text;
}

} // namespace iqa_tool

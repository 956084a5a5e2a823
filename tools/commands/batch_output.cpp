// SPDX-License-Identifier: MIT
// The output of `iqa batch`: table, CSV and JSON.
#include "commands/batch.hpp"
#include "files/file_error.hpp"
#include "files/number.hpp"
#include "measuring/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace iqa_tool {

namespace {

using json = nlohmann::ordered_json;

json names_as_json(const file_pair &names)
{
    return {{"reference", names.reference}, {"test", names.test}};
}

json pair_as_json(const pair_result &result)
{
    json object = names_as_json(result.names);
    object["images"] = result.shape[axis_image];
    object["height"] = result.shape[axis_height];
    object["width"] = result.shape[axis_width];
    object["channels"] = result.shape[axis_channel];
    object["dtype"] = result.dtype;
    object["ssim"] = result.values.ssim;
    object["psnr"] = result.values.psnr;
    object["mse"] = result.values.mse;
    object["out_of_range"] = result.values.out_of_range;
    object["nonfinite"] = result.values.nonfinite;
    return object;
}

// NaN comes before every number.
bool is_worse(const pair_result *first, const pair_result *second)
{
    const double first_ssim = std::isnan(first->values.ssim) ? -HUGE_VAL : first->values.ssim;
    const double second_ssim = std::isnan(second->values.ssim) ? -HUGE_VAL : second->values.ssim;
    return first_ssim != second_ssim ? first_ssim < second_ssim : first->names.reference < second->names.reference;
}

} // namespace

std::vector<const pair_result *> batch_report::worst(std::size_t most) const
{
    std::vector<const pair_result *> found;
    for (const pair_result &result : results)
        if (result.outcome == pair_result::state::measured)
            found.push_back(&result);
    const std::size_t kept = std::min(most, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(), is_worse);
    found.resize(kept);
    return found;
}

const char *const csv_header =
    "reference,test,images,height,width,channels,dtype,ssim,psnr,mse,out_of_range,nonfinite,error";

void write_csv_row(std::ostream &out, const pair_result &result)
{
    out << csv_field(result.names.reference) << ',' << csv_field(result.names.test) << ',';
    if (result.outcome == pair_result::state::failed) {
        out << ",,,,,,,,,," << csv_field(result.error) << '\n';
        return;
    }
    for (const int64_t extent : result.shape)
        out << std::to_string(extent) << ',';
    out << result.dtype << ',' << shortest(result.values.ssim) << ',' << shortest(result.values.psnr) << ','
        << shortest(result.values.mse) << ',' << std::to_string(result.values.out_of_range) << ','
        << std::to_string(result.values.nonfinite) << ",\n";
}

void write_batch_json(std::ostream &out, const batch_options &options, const batch_report &report,
                      const iqa::context &context)
{
    json object;
    object["library"] = library_as_json(context);
    object["reference_folder"] = options.reference_folder;
    object["test_folder"] = options.test_folder;
    object["interrupted"] = report.interrupted;
    object["summary"] = {{"measured", report.count(pair_result::state::measured)},
                         {"failed", report.count(pair_result::state::failed)},
                         {"unmatched", report.unmatched()},
                         {"not_done", report.count(pair_result::state::pending)},
                         {"images", report.total.images}};
    if (report.total.images > 0)
        object["summary"].update({{"ssim", report.total.ssim},
                                  {"psnr", report.total.psnr},
                                  {"psnr_of_mean_mse", report.total.psnr_of_mean_mse},
                                  {"mean_psnr", report.total.mean_psnr},
                                  {"mse", report.total.mse},
                                  {"infinite_images", report.total.infinite_images},
                                  {"out_of_range", report.total.out_of_range}});
    for (const char *list : {"worst", "pairs", "failed"})
        object[list] = json::array();
    for (const pair_result *result : report.worst(static_cast<std::size_t>(options.worst)))
        object["worst"].push_back(names_as_json(result->names));
    for (const pair_result &result : report.results)
        if (result.outcome == pair_result::state::measured)
            object["pairs"].push_back(pair_as_json(result));
        else if (result.outcome == pair_result::state::failed) {
            object["failed"].push_back(names_as_json(result.names));
            object["failed"].back()["error"] = result.error;
        }
    object["unmatched"] = {{"reference", report.lone_references}, {"test", report.lone_tests}};
    object["not_looked_at"] = report.others;
    object["options"] = options_as_json(options.chosen);
    write_json(out, object);
}

void print_summary(std::ostream &out, const batch_options &options, const batch_report &report)
{
    const std::string unit = psnr_unit(options.chosen);
    const total_values &total = report.total;
    report.print_counts(out);
    if (total.images == 0)
        return;
    out << "mean SSIM          " << fixed(total.ssim, 6) << "\nPSNR of mean MSE   " << fixed(total.psnr_of_mean_mse, 4)
        << unit << "\nmean PSNR          " << fixed(total.mean_psnr, 4) << unit;
    if (total.infinite_images > 0)
        out << "  (" << total.infinite_images << " equal)";
    out << "\nMSE                " << fixed(total.mse, 6) << '\n';
    if (total.out_of_range > 0)
        out << total.out_of_range << " samples are outside the data range\n";

    const std::vector<const pair_result *> worst = report.worst(static_cast<std::size_t>(options.worst));
    if (worst.empty())
        return;
    out << "\nworst " << worst.size() << " by SSIM\n";
    for (const pair_result *result : worst) {
        const std::string psnr = fixed(result->values.psnr, 4);
        out << "  " << fixed(result->values.ssim, 6) << std::string(psnr.size() < 10 ? 10 - psnr.size() : 1, ' ')
            << psnr << unit << "  " << one_line(result->names.test) << '\n';
    }
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// The metrics: their numbers, option tables, and constructors from options and from state files.
#pragma once

#include <array>

#include "core/option_table.hpp"
#include "metrics/features/mean_and_deviation.hpp"
#include "metrics/metric.hpp"

namespace iqa {

// The numbers in state files.
enum class metric_kind : uint16_t { ssim = 1, psnr = 2, errors = 3, fid = 16, confusion = 32 };

// Option tables; each is defined beside its metric.
extern const options_table<iqa_ssim_options> ssim_option_table;
extern const options_table<iqa_psnr_options> psnr_option_table;
extern const options_table<iqa_errors_options> errors_option_table;
extern const options_table<iqa_fid_options> fid_option_table;
extern const options_table<iqa_kid_options> kid_option_table;
extern const options_table<iqa_prdc_options> prdc_option_table;
extern const options_table<iqa_inception_score_options> inception_score_option_table;
extern const options_table<iqa_confusion_options> confusion_option_table;
extern const options_table<iqa_confusion_reading> confusion_reading_table;

iqa_metric *create_ssim(context &owner, const iqa_ssim_options &options);
iqa_metric *create_psnr(context &owner, const iqa_psnr_options &options);
iqa_metric *create_errors(context &owner, const iqa_errors_options &options);
iqa_metric *create_fid(context &owner, const iqa_fid_options &options);
iqa_metric *create_confusion(context &owner, const iqa_confusion_options &options);

// Stores the shape of SSIM's map, unless `map_shape` is NULL. Returns the factor of the first downsampling.
int32_t ssim_map_shape(const iqa_ssim_options &options, int32_t ndim, const int64_t *shape, int64_t *map_shape);

// Other libraries' SSIM: IQA_SSIM_..., IQA_MS_SSIM_.... The name is NULL for an unknown number.
iqa_ssim_options ssim_preset(int32_t number);
const char *ssim_preset_name(int32_t number) noexcept;
extern const std::array<option_word, IQA_MS_SSIM_PYIQA + 1> ssim_preset_words;

// Other libraries' readings of counts: IQA_CONVENTION_....
iqa_confusion_reading confusion_convention(int32_t number);
extern const std::array<option_word, IQA_CONVENTION_MMSEGMENTATION + 1> confusion_convention_words;

// From a state file, of a metric whose number of lanes follows from its options: another number is refused before
// memory is taken. The caller loads the lanes.
iqa_metric *create_fid_of_state(context &owner, const state_parts &parts);
iqa_metric *create_confusion_of_state(context &owner, const state_parts &parts);

constexpr int32_t most_fid_features = 16384;
constexpr int32_t largest_fraction_bits = 120;

struct fid_statistics {
    const iqa_tensor *mean;
    const iqa_tensor *covariance;
};

// In the order that iqa_fid_from_statistics() documents.
using fid_terms_array = std::array<double, 8>;
fid_terms_array fid_from_statistics(context &where, const fid_statistics &reference, const fid_statistics &candidate);

struct fid_line {
    double at_infinity, slope;
};
fid_line fid_extrapolate(std::span<const iqa_metric *const> shards);

struct fid_estimate {
    double value, standard_error;
};
fid_estimate fid_jackknife(std::span<const iqa_metric *const> shards);

mean_and_deviation measure_kid(context &where, const iqa_kid_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate);
// In the order of IQA_PRDC_....
using prdc_values_array = std::array<double, IQA_PRDC_PAIRS + 1>;
prdc_values_array measure_prdc(context &where, const iqa_prdc_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate);
mean_and_deviation measure_inception_score(context &where, const iqa_inception_score_options &options,
                                           const iqa_tensor &scores);

// Clears one set of a FID metric.
void reset_fid_side(iqa_metric &metric, int32_t side);

// Stores the values of a confusion score in `out`, unless that is empty, and returns their number.
size_t read_confusion_score(const iqa_metric &metric, int32_t score, const iqa_confusion_reading &reading,
                            std::span<double> out);

} // namespace iqa

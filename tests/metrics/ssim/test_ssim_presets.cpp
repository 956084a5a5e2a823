// SPDX-License-Identifier: MIT
// What other libraries say of pictures made by formulas, through the presets that stand for them.
#include <cmath>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

iqa_ssim_options preset(int32_t number)
{
    iqa_ssim_options options;
    REQUIRE(iqa_ssim_options_preset(&options, sizeof options, number) == IQA_OK);
    options.data_low = 0;
    options.data_high = 255;
    return options;
}

double measure(const iqa_ssim_options &options, const iqa_tensor *x, const iqa_tensor *y)
{
    const context_pointer context = make_context();
    double value = -12345;
    const iqa_status status = iqa_measure_ssim(context.get(), &options, x, y, &value);
    INFO(iqa_context_error(context.get()));
    REQUIRE(status == IQA_OK);
    return value;
}

template <class Sample>
double measure_formula(const iqa_ssim_options &options, int64_t height, int64_t width)
{
    const auto x = make_image<Sample>(height, width, formula_reference);
    const auto y = make_image<Sample>(height, width, formula_candidate);
    const tensor tx(x.data(), dtype_of<Sample>::value, {height, width});
    const tensor ty(y.data(), dtype_of<Sample>::value, {height, width});
    return measure(options, tx, ty);
}

double measure_volume(iqa_ssim_options options)
{
    const int64_t depth = 16, height = 20, width = 24;
    std::vector<double> x, y;
    for (int64_t k = 0; k < depth; ++k)
        for (int64_t i = 0; i < height; ++i)
            for (int64_t j = 0; j < width; ++j) {
                x.push_back(double((29 * k + 37 * i + 101 * j + 17 * ((i * j + k) % 13)) % 256));
                const double value = x.back() + double((5 * k + 7 * i + 3 * j + ((i * j) % 5)) % 41) - 20;
                y.push_back(std::min(std::max(value, 0.0), 255.0));
            }
    options.layout = IQA_LAYOUT_DHW;
    const tensor tx(x.data(), IQA_FLOAT64, {depth, height, width});
    const tensor ty(y.data(), IQA_FLOAT64, {depth, height, width});
    return measure(options, tx, ty);
}

// Peers that compute in float64 agree to its precision. Those in single precision, and TorchMetrics' exponents of
// several scales, which are single too, to what was measured.
constexpr double in_double = 1e-12;
constexpr double in_single = 1e-7;
constexpr double single_exponents = 2e-9;

struct known_value {
    int32_t preset;
    int64_t height, width;
    double value, tolerance;
};

const known_value known_values[] = {
    {IQA_SSIM_WANG2004, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_WANG_AUTO, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_MATLAB, 64, 64, 0.9871217439923439, in_double},
    {IQA_SSIM_SKIMAGE_DEFAULT, 64, 64, 0.9876171074545104, in_double},
    {IQA_SSIM_SKIMAGE_GAUSSIAN, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_SKIMAGE_GAUSSIAN_SAMPLE, 64, 64, 0.9874156265777747, in_double},
    {IQA_SSIM_TORCHMETRICS, 64, 64, 0.9873493091582206, in_double},
    {IQA_SSIM_TORCHMETRICS_1_4_1, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_PYTORCH_MSSSIM, 64, 64, 0.9874162317, in_single},
    {IQA_SSIM_PIQ, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_TENSORFLOW, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_OPENCV, 64, 64, 0.9873493091582206, in_double},
    {IQA_SSIM_MONAI, 64, 64, 0.9874162293236853, in_double},
    {IQA_SSIM_FUSED_SSIM, 64, 64, 0.9881558707061693, in_double},
    {IQA_SSIM_WANG2004, 512, 512, 0.9872774137984976, in_double},
    {IQA_SSIM_WANG_AUTO, 512, 512, 0.9738261922881764, in_double},
    {IQA_SSIM_PIQ, 512, 512, 0.9738261922881764, in_double},
    {IQA_MS_SSIM_WANG2003, 192, 192, 0.9840264331657252, in_double},
    {IQA_MS_SSIM_TENSORFLOW, 192, 192, 0.9840264331657252, in_double},
    {IQA_MS_SSIM_PIQ, 192, 192, 0.9840264331657326, in_double},
    {IQA_MS_SSIM_MONAI, 192, 192, 0.9840264331657252, in_double},
    {IQA_MS_SSIM_PYTORCH_MSSSIM, 192, 192, 0.98402648, in_single},
    {IQA_MS_SSIM_TORCHMETRICS, 192, 192, 0.9840174428321093, single_exponents},
    {IQA_MS_SSIM_WANG2003, 181, 179, 0.9840527400148368, in_double},
    {IQA_MS_SSIM_TENSORFLOW, 181, 179, 0.9840527400148368, in_double},
    {IQA_MS_SSIM_MONAI, 181, 179, 0.9840701992018669, in_double},
    {IQA_MS_SSIM_PIQ, 181, 179, 0.9843288202267682, in_double},
    {IQA_MS_SSIM_PYTORCH_MSSSIM, 181, 179, 0.98441858, in_single},
    {IQA_MS_SSIM_TORCHMETRICS, 181, 179, 0.9840572720090353, single_exponents},
};

} // namespace

TEST_CASE("presets give what their libraries give", "[ssim][presets]")
{
    for (const known_value &known : known_values) {
        INFO(iqa_ssim_preset_name(known.preset) << " of " << known.height << " x " << known.width);
        iqa_ssim_options options = preset(known.preset);
        CHECK(std::abs(measure_formula<double>(options, known.height, known.width) - known.value) < known.tolerance);
        const double of_bytes = measure_formula<uint8_t>(options, known.height, known.width);
        CHECK(std::abs(of_bytes - known.value) < 2e-7);
        options.arithmetic = IQA_ARITHMETIC_FLOAT64;
        const double in_float64 = measure_formula<uint8_t>(options, known.height, known.width);
        CHECK(std::abs(in_float64 - known.value) < known.tolerance);
    }
}

TEST_CASE("sizes of other sigmas", "[ssim][presets]")
{
    struct row {
        int32_t preset;
        double sigma, value, tolerance;
    };
    const row rows[] = {
        {IQA_SSIM_SKIMAGE_GAUSSIAN, 0.5, 0.9801868960505983, in_double},
        {IQA_SSIM_SKIMAGE_GAUSSIAN, 1.0, 0.9868124303676177, in_double},
        {IQA_SSIM_SKIMAGE_GAUSSIAN, 2.0, 0.9876043486309082, in_double},
        {IQA_SSIM_TORCHMETRICS, 0.5, 0.9796941072476788, in_double},
        {IQA_SSIM_TORCHMETRICS, 1.0, 0.9866395765058398, in_double},
        {IQA_SSIM_TORCHMETRICS, 2.0, 0.9875418180140898, in_double},
        {IQA_SSIM_PYTORCH_MSSSIM, 0.5, 0.98021625, in_single},
        {IQA_SSIM_PYTORCH_MSSSIM, 1.0, 0.98676710, in_single},
        {IQA_SSIM_PYTORCH_MSSSIM, 2.0, 0.98760501, in_single},
    };
    for (const row &row : rows) {
        INFO(iqa_ssim_preset_name(row.preset) << " at sigma " << row.sigma);
        iqa_ssim_options options = preset(row.preset);
        options.sigma_y = options.sigma_x = row.sigma;
        CHECK(std::abs(measure_formula<double>(options, 64, 64) - row.value) < row.tolerance);
    }
}

TEST_CASE("volumes", "[ssim][presets]")
{
    CHECK(std::abs(measure_volume(preset(IQA_SSIM_SKIMAGE_GAUSSIAN)) - 0.9877823816838956) < in_double);
    CHECK(std::abs(measure_volume(preset(IQA_SSIM_MONAI)) - 0.9877823816838956) < in_double);
    CHECK(std::abs(measure_volume(preset(IQA_SSIM_PYTORCH_MSSSIM)) - 0.9877823816838956) < in_double);
    CHECK(std::abs(measure_volume(preset(IQA_SSIM_TORCHMETRICS)) - 0.9878861913142291) < in_double);
    CHECK(std::abs(measure_volume(preset(IQA_SSIM_SKIMAGE_GAUSSIAN_SAMPLE)) - 0.9877823326069753) < in_double);
    iqa_ssim_options uniform = preset(IQA_SSIM_SKIMAGE_DEFAULT);
    uniform.covariance = IQA_COVARIANCE_POPULATION;
    CHECK(std::abs(measure_volume(uniform) - 0.987784221127678) < in_double);
    // Millimetres: the same window in another unit.
    iqa_ssim_options millimetres = preset(IQA_SSIM_SKIMAGE_GAUSSIAN);
    millimetres.spacing_z = 3.0;
    millimetres.spacing_y = millimetres.spacing_x = 0.5;
    millimetres.sigma_z = 4.5;
    millimetres.sigma_y = millimetres.sigma_x = 0.75;
    CHECK(measure_volume(millimetres) == measure_volume(preset(IQA_SSIM_SKIMAGE_GAUSSIAN)));
}

TEST_CASE("negative structure", "[ssim][presets]")
{
    // A picture and its negative: the contrast-structure is near -1 everywhere.
    const auto x = make_image<double>(192, 192, formula_reference);
    const auto y = make_image<double>(192, 192, [](int64_t i, int64_t j) { return 255 - formula_reference(i, j); });
    const tensor tx(x.data(), IQA_FLOAT64, {192, 192});
    const tensor ty(y.data(), IQA_FLOAT64, {192, 192});
    for (int32_t number = IQA_MS_SSIM_WANG2003; number <= IQA_MS_SSIM_PYIQA; ++number)
        CHECK(measure(preset(number), tx, ty) == 0.0);
    CHECK(measure(preset(IQA_SSIM_WANG2004), tx, ty) < -0.5);
    CHECK(measure(preset(IQA_SSIM_PYIQA), tx, ty) >= 0.0);
}

TEST_CASE("presets have names and numbers", "[ssim][presets]")
{
    std::set<std::string> names;
    int32_t count = 0;
    for (; iqa_ssim_preset_name(count) != nullptr; ++count) {
        names.insert(iqa_ssim_preset_name(count));
        iqa_ssim_options options;
        CHECK(iqa_ssim_options_preset(&options, sizeof options, count) == IQA_OK);
        CHECK(options.struct_size == sizeof options);
        CHECK(options.layout == IQA_LAYOUT_HW);
        CHECK((options.data_low <= options.data_high) == (count == IQA_SSIM_OPENCV));
    }
    CHECK(count == IQA_MS_SSIM_PYIQA + 1);
    CHECK(names.size() == size_t(count));
    CHECK(iqa_ssim_preset_name(IQA_SSIM_TORCHMETRICS_1_4_1) == std::string("torchmetrics_1_4_1"));
    CHECK(iqa_ssim_preset_name(IQA_MS_SSIM_PIQ) == std::string("ms_ssim_piq"));
    CHECK(iqa_ssim_preset_name(-1) == nullptr);
    iqa_ssim_options options;
    CHECK(iqa_ssim_options_preset(&options, sizeof options, count) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_ssim_options_preset(&options, sizeof options, -1) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_ssim_options_preset(nullptr, sizeof options, 0) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_ssim_options_preset(&options, 2, 0) == IQA_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("the smallest image of five scales", "[ssim][presets]")
{
    for (const auto &[number, side] : {std::pair{IQA_MS_SSIM_WANG2003, 161},
                                       {IQA_MS_SSIM_TENSORFLOW, 161},
                                       {IQA_MS_SSIM_PYTORCH_MSSSIM, 161},
                                       {IQA_MS_SSIM_PIQ, 161},
                                       {IQA_MS_SSIM_MONAI, 176}}) {
        INFO(iqa_ssim_preset_name(number));
        const context_pointer context = make_context();
        const iqa_ssim_options options = preset(number);
        const std::vector<double> image(size_t(side) * size_t(side), 0.5);
        double value = 0;
        const tensor fits(image.data(), IQA_FLOAT64, {side, side});
        CHECK(iqa_measure_ssim(context.get(), &options, fits, fits, &value) == IQA_OK);
        CHECK(value == 1.0);
        const tensor small(image.data(), IQA_FLOAT64, {side, side - 1});
        CHECK(iqa_measure_ssim(context.get(), &options, small, small, &value) == IQA_ERROR_SHAPE);
        CHECK(std::string(iqa_context_error(context.get())).find(std::to_string(side)) != std::string::npos);
    }
}

// SPDX-License-Identifier: MIT
// Every status code is reached through the public API, and its text says which argument was wrong, what it was and what
// was expected. The list of codes is the library's own: a code that is added must be reached here too.
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "iqa_c.h"

namespace {

std::set<iqa_status> reached;

// `fragments` must all be in the text of the context, where there is one.
void expect(iqa_status expected, iqa_status status, const iqa_context *context,
            std::initializer_list<const char *> fragments)
{
    reached.insert(status);
    const std::string text = iqa_context_error(context);
    bool good = status == expected;
    for (const char *fragment : fragments)
        good = good && text.find(fragment) != std::string::npos;
    if (good)
        return;
    std::fprintf(stderr, "expected %s, got %s with the text \"%s\"; expected in it:", iqa_status_name(expected),
                 iqa_status_name(status), text.c_str());
    for (const char *fragment : fragments)
        std::fprintf(stderr, " \"%s\"", fragment);
    std::fprintf(stderr, "\n");
    const bool as_expected = false;
    CHECK(as_expected);
}

struct fixture {
    iqa_context *context = nullptr;
    std::vector<double> samples = std::vector<double>(64 * 64);
    int64_t shape[5] = {20, 30, 3, 1, 1};

    explicit fixture(const iqa_context_options *options = nullptr)
    {
        CHECK(iqa_context_create(options, &context) == IQA_OK);
    }
    ~fixture() { iqa_context_destroy(context); }

    iqa_tensor tensor(int32_t dtype = IQA_UINT8, int32_t ndim = 2)
    {
        return iqa_cpu_tensor(samples.data(), dtype, ndim, shape);
    }

    void expect_text(iqa_status expected, iqa_status status, std::initializer_list<const char *> fragments)
    {
        expect(expected, status, context, fragments);
    }

    iqa_status ssim(const iqa_tensor &reference, const iqa_tensor &candidate)
    {
        double value = 0.0;
        return iqa_measure_ssim(context, nullptr, &reference, &candidate, &value);
    }

    // A metric that ends with the fixture's scope.
    struct holder {
        iqa_metric *metric = nullptr;
        ~holder() { iqa_metric_destroy(metric); }
        operator iqa_metric *() const { return metric; }
    };
    void create_ssim(holder &out) { CHECK(iqa_ssim_create(context, nullptr, &out.metric) == IQA_OK); }
    void create_psnr(holder &out) { CHECK(iqa_psnr_create(context, nullptr, &out.metric) == IQA_OK); }
};

void reach_invalid_argument()
{
    fixture f;
    iqa_metric *metric = nullptr;
    const auto ssim = [&](auto change, std::initializer_list<const char *> fragments) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        change(options);
        f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_ssim_create(f.context, &options, &metric), fragments);
        CHECK(metric == nullptr);
    };
    const auto psnr = [&](auto change, std::initializer_list<const char *> fragments) {
        iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
        change(options);
        f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_psnr_create(f.context, &options, &metric), fragments);
        CHECK(metric == nullptr);
    };
    const auto errors = [&](auto change, std::initializer_list<const char *> fragments) {
        iqa_errors_options options = IQA_ERRORS_OPTIONS_INIT;
        change(options);
        f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_errors_create(f.context, &options, &metric), fragments);
        CHECK(metric == nullptr);
    };
    const double nan = std::nan("");
    ssim([](auto &o) { o.layout = 12; }, {"layout is 12", "IQA_LAYOUT_"});
    ssim([](auto &o) { o.layout = -1; }, {"layout is -1"});
    ssim([](auto &o) { o.window = 3; }, {"window is 3", "IQA_WINDOW_"});
    ssim([](auto &o) { o.border = 5; }, {"border is 5", "IQA_BORDER_"});
    ssim([](auto &o) { o.covariance = 2; }, {"covariance is 2", "IQA_COVARIANCE_"});
    ssim([](auto &o) { o.arithmetic = 2; }, {"arithmetic is 2", "IQA_ARITHMETIC_"});
    ssim([](auto &o) { o.nonfinite = 3; }, {"nonfinite is 3", "IQA_NONFINITE_"});
    ssim([](auto &o) { o.reserved = 1; }, {"reserved is 1", "expected 0"});
    ssim([](auto &o) { o.size_y = 4; }, {"size_y is 4", "odd number"});
    ssim([](auto &o) { o.size_x = 0; }, {"size_x is 0", "odd number"});
    ssim([](auto &o) { o.size_x = 4097; }, {"size_x is 4097", "4095"});
    ssim([](auto &o) { o.sigma_y = 0.0; }, {"sigma_y is 0", "above 0"});
    ssim([&](auto &o) { o.sigma_x = nan; }, {"sigma_x is nan", "above 0"});
    ssim([](auto &o) { o.sigma_x = 1e9; }, {"sigma_x is 1e+09", "4095"});
    ssim([](auto &o) { o.truncate = -1.0; }, {"truncate is -1", "above 0"});
    ssim([](auto &o) { o.k1 = -0.5; }, {"k1 is -0.5", "at least 0"});
    ssim([&](auto &o) { o.k2 = nan; }, {"k2 is nan", "at least 0"});
    ssim([&](auto &o) { o.data_low = nan; }, {"data range is nan", "expected finite"});
    ssim([](auto &o) { o.data_low = o.data_high = 1.0; }, {"data range is 1 ... 1", "difference"});
    ssim([](auto &o) { o.window = IQA_WINDOW_UNIFORM; }, {"size_y is IQA_SIZE_AUTO", "uniform"});
    ssim([](auto &o) { o.size_y = o.size_x = 1, o.covariance = IQA_COVARIANCE_SAMPLE; }, {"sample covariance"});
    ssim([](auto &o) { o.struct_size = 3; }, {"iqa_ssim_options.struct_size is 3", "sizeof"});
    ssim([](auto &o) { o.scales = 13; }, {"scales is 13", "1 to 12"});
    ssim([](auto &o) { o.scale_weights[1] = 0.5; }, {"scale_weights[1] is 0.5", "scales is 1"});
    ssim([](auto &o) { o.scales = 2, o.scale_weights[1] = 0.5; }, {"scale_weights sum to 1.5", "divide them"});
    ssim([](auto &o) { o.scales = 2, o.scale_weights[1] = -0.5; }, {"scale_weights[1] is -0.5", "at least 0"});
    ssim([](auto &o) { o.luma = 5; }, {"luma is 5", "IQA_LUMA_"});
    ssim([](auto &o) { o.luma_rounded = 2; }, {"luma_rounded is 2", "0 or 1"});
    ssim([](auto &o) { o.shave = -1; }, {"shave is -1", "0 or more"});
    ssim([](auto &o) { o.downsample = 0; }, {"downsample is 0", "IQA_DOWNSAMPLE_AUTO"});
    ssim([](auto &o) { o.downsample = 2, o.shrink = IQA_SHRINK_ZERO; }, {"downsample needs shrink"});
    ssim([](auto &o) { o.shrink = 4; }, {"shrink is 4", "IQA_SHRINK_"});
    ssim([](auto &o) { o.product = 2; }, {"product is 2", "IQA_PRODUCT_"});
    ssim([](auto &o) { o.negative = 4; }, {"negative is 4", "IQA_NEGATIVE_"});
    ssim([](auto &o) { o.contrast_border = 5; }, {"contrast_border is 5", "IQA_BORDER_"});
    ssim([](auto &o) { o.mask = 2; }, {"mask is 2", "IQA_MASK_"});
    ssim([](auto &o) { o.mask = IQA_MASK_MAP, o.nonfinite = IQA_NONFINITE_MASK; }, {"IQA_NONFINITE_MASK needs"});
    ssim([](auto &o) { o.coverage = 1.5; }, {"coverage is 1.5", "0 to 1"});
    ssim([](auto &o) { o.parts = 2; }, {"parts is 2", "0 or 1"});
    ssim([](auto &o) { o.layout = IQA_LAYOUT_DHW, o.sigma_z = 0.0; }, {"sigma_z is 0", "above 0"});
    ssim([](auto &o) { o.spacing_x = 0.0; }, {"spacing_x is 0", "above 0"});
    ssim([](auto &o) { o.sigma_x = 1e-200, o.spacing_x = 1e200; }, {"sigma_x is 1e-200", "spacing_x is 1e+200"});
    ssim([](auto &o) { o.window = IQA_WINDOW_BLOCKS, o.scales = 2, o.scale_weights[0] = o.scale_weights[1] = 0.5; },
         {"IQA_WINDOW_BLOCKS"});
    {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        expect(IQA_ERROR_INVALID_ARGUMENT, iqa_ssim_options_preset(&options, sizeof options, 99), nullptr, {});
        expect(IQA_ERROR_INVALID_ARGUMENT, iqa_ssim_options_preset(nullptr, sizeof options, 0), nullptr, {});
        CHECK(iqa_ssim_preset_name(-1) == nullptr && iqa_ssim_preset_name(99) == nullptr);
        CHECK(std::strcmp(iqa_ssim_preset_name(IQA_MS_SSIM_PYIQA), "ms_ssim_pyiqa") == 0);
    }
    const auto text = [&](const char *kind, const char *options, std::initializer_list<const char *> fragments) {
        f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_metric_create(f.context, kind, options, &metric), fragments);
        CHECK(metric == nullptr);
    };
    text("ssmi", nullptr, {"kind is \"ssmi\"", "did you mean \"ssim\"", "psnr"});
    text("kid", nullptr, {"kind is \"kid\"", "iqa_measure_kid()"});
    text("prdc", nullptr, {"kind is \"prdc\"", "iqa_measure_prdc()"});
    text("ssim", "boarder=zero", {"ssim: \"boarder\"", "did you mean \"border\""});
    text("ssim", "border=round", {"ssim: border is \"round\"", "expected valid, reflect"});
    text("ssim", "k1=-1", {"ssim: k1 is -1", "at least 0"});
    {
        iqa_option_info info = IQA_OPTION_INFO_INIT;
        expect(IQA_ERROR_INVALID_ARGUMENT, iqa_option_describe("ssim", 99, &info), nullptr, {"index is 99", "ssim"});
    }
    psnr([](auto &o) { o.log_base = 1.0; }, {"log_base is 1", "at least"});
    psnr([&](auto &o) { o.cap = nan; }, {"cap is nan", "IQA_PSNR_NO_CAP"});
    psnr([](auto &o) { o.cap = -1e30; }, {"cap is -1e+30", "at least 0"});
    psnr([](auto &o) { o.aggregate = 2; }, {"aggregate is 2", "IQA_MEAN_OF_PSNR"});
    psnr([](auto &o) { o.layout = 17; }, {"layout is 17"});
    psnr([](auto &o) { o.nonfinite = -2; }, {"nonfinite is -2"});
    psnr([](auto &o) { o.nonfinite = 3; }, {"nonfinite is 3", "IQA_NONFINITE_"});
    psnr([](auto &o) { o.luma = 5; }, {"luma is 5", "IQA_LUMA_"});
    psnr([](auto &o) { o.luma_rounded = -1; }, {"luma_rounded is -1", "0 or 1"});
    psnr([](auto &o) { o.shave = -3; }, {"shave is -3", "0 or more"});
    psnr([](auto &o) { o.gradient = 2; }, {"gradient is 2", "IQA_GRADIENT_OF_"});
    errors([](auto &o) { o.measure = 7; }, {"measure is 7", "IQA_MEAN_ABSOLUTE_ERROR"});
    errors([](auto &o) { o.measure = -1; }, {"measure is -1", "IQA_SIGNAL_TO_NOISE_RATIO"});
    errors([](auto &o) { o.layout = 17; }, {"layout is 17"});
    errors([&](auto &o) { o.data_low = nan; }, {"the data range is nan"});
    errors([](auto &o) { o.nonfinite = 3; }, {"nonfinite is 3", "IQA_NONFINITE_"});
    errors([](auto &o) { o.luma = 5; }, {"luma is 5", "IQA_LUMA_"});
    errors([](auto &o) { o.luma_rounded = -1; }, {"luma_rounded is -1", "0 or 1"});
    errors([](auto &o) { o.alone = 2; }, {"alone is 2", "0 or 1"});
    errors([](auto &o) { o.shave = -3; }, {"shave is -3", "0 or more"});

    const iqa_tensor good = f.tensor();
    const auto update = [&](auto change, std::initializer_list<const char *> fragments) {
        iqa_tensor bad = good;
        change(bad);
        f.expect_text(IQA_ERROR_INVALID_ARGUMENT, f.ssim(bad, good), fragments);
    };
    update([](iqa_tensor &t) { t.data = nullptr; }, {"reference.data is NULL"});
    update([](iqa_tensor &t) { t.shape = nullptr; }, {"reference.shape is NULL"});
    update([](iqa_tensor &t) { t.ndim = -1; }, {"reference.ndim is -1", "expected 0 to 32"});
    update([](iqa_tensor &t) { t.ndim = 33; }, {"reference.ndim is 33"});
    update([](iqa_tensor &t) { t.byte_offset = UINT64_MAX; }, {"reference.byte_offset is 18446744073709551615"});
    iqa_tensor odd = f.tensor(IQA_UINT16);
    odd.byte_offset = 1;
    f.expect_text(IQA_ERROR_INVALID_ARGUMENT, f.ssim(odd, f.tensor(IQA_UINT16)), {"reference.data is not aligned"});
    f.expect_text(IQA_ERROR_INVALID_ARGUMENT, f.ssim(f.tensor(IQA_FLOAT32), f.tensor(IQA_FLOAT32)),
                  {"data range", "data_low", "data_high"});

    fixture::holder psnr_metric;
    f.create_psnr(psnr_metric);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.map = &good;
    f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_metric_update(psnr_metric, &good, &good, &extras), {"map", "PSNR"});
    double value = 0.0;
    f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_metric_read(psnr_metric, 1234, &value, 1, nullptr),
                  {"field is 1234", "PSNR"});
    fixture::holder ssim_metric;
    f.create_ssim(ssim_metric);
    f.expect_text(IQA_ERROR_INVALID_ARGUMENT, iqa_metric_read(ssim_metric, IQA_FIELD_MSE, &value, 1, nullptr),
                  {"field is 4", "SSIM"});

    // What a context that cannot be made would say is the text without a context.
    iqa_context *context = f.context;
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = 0;
    expect(IQA_ERROR_INVALID_ARGUMENT, iqa_context_create(&options, &context), nullptr,
           {"threads is 0", "IQA_THREADS_ALL"});
    CHECK(context == nullptr);
    options = IQA_CONTEXT_OPTIONS_INIT;
    options.instruction_set = 3;
    expect(IQA_ERROR_INVALID_ARGUMENT, iqa_context_create(&options, &context), nullptr, {"instruction_set is 3"});
    options = IQA_CONTEXT_OPTIONS_INIT;
    options.allocate = [](void *, size_t) -> void * {
        return nullptr;
    };
    expect(IQA_ERROR_INVALID_ARGUMENT, iqa_context_create(&options, &context), nullptr, {"allocate and deallocate"});
}

void reach_shape_dtype_device()
{
    fixture f;
    const iqa_tensor good = f.tensor();
    const int64_t other[2] = {20, 31};
    iqa_tensor bad = good;
    bad.shape = other;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(good, bad), {"candidate has shape [20, 31]", "reference has [20, 30]"});
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(f.tensor(IQA_UINT8, 3), f.tensor(IQA_UINT8, 3)),
                  {"reference has shape [20, 30, 3]", "IQA_LAYOUT_HW has 2 axes"});
    const int64_t low[2] = {7, 30};
    bad.shape = low;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"height 7 is smaller than the 11-pixel window"});
    const int64_t narrow[2] = {20, 10};
    bad.shape = narrow;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"width 10 is smaller than the 11-pixel window"});
    const int64_t empty[2] = {0, 30};
    bad.shape = empty;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"[0, 30]", "at least 1"});
    const int64_t negative[2] = {-20, 30};
    bad.shape = negative;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"[-20, 30]", "negative"});
    const int64_t huge[2] = {INT64_MAX, INT64_MAX};
    bad.shape = huge;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"9223372036854775807", "more elements"});
    const int64_t huge_beside_none[3] = {0, INT64_MAX / 64, 3}; // the product of the others fits nothing
    bad.shape = huge_beside_none;
    bad.ndim = 3;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"[0, 144115188075855871, 3]", "more elements"});
    const int64_t strides[2] = {INT64_MIN, 1};
    bad = good;
    bad.strides = strides;
    f.expect_text(IQA_ERROR_SHAPE, f.ssim(bad, bad), {"reference", "more elements"});

    f.expect_text(IQA_ERROR_DTYPE, f.ssim(f.tensor(IQA_INT32), f.tensor(IQA_INT32)), {"int32", "expected uint8"});
    f.expect_text(IQA_ERROR_DTYPE, f.ssim(good, f.tensor(IQA_UINT16)), {"candidate", "uint16", "uint8"});
    bad = good;
    bad.dtype_lanes = 4;
    f.expect_text(IQA_ERROR_DTYPE, f.ssim(bad, bad), {"uint8x4"});

    fixture::holder metric;
    f.create_ssim(metric);
    const int64_t one[1] = {1};
    const int64_t two[1] = {2};
    const auto update = [&](const iqa_tensor &per_image) {
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = &per_image;
        return iqa_metric_update(metric, &good, &good, &extras);
    };
    double out[2] = {};
    f.expect_text(IQA_ERROR_SHAPE, update(iqa_cpu_tensor(out, IQA_FLOAT64, 1, two)),
                  {"per_image has shape [2]", "expected [1]"});
    f.expect_text(IQA_ERROR_DTYPE, update(iqa_cpu_tensor(out, IQA_FLOAT32, 1, one)),
                  {"per_image has element type float32", "expected float64"});
    iqa_tensor elsewhere = iqa_cpu_tensor(out, IQA_FLOAT64, 1, one);
    elsewhere.device_type = IQA_CUDA;
    f.expect_text(IQA_ERROR_DEVICE, update(elsewhere), {"per_image", "device"});

    iqa_tensor cuda = good;
    cuda.device_type = IQA_CUDA;
    f.expect_text(IQA_ERROR_DEVICE, f.ssim(good, cuda), {"candidate is on device 2:0", "reference is on 1:0"});
    bad = good;
    bad.device_type = 8;
    f.expect_text(IQA_ERROR_UNAVAILABLE, f.ssim(bad, bad), {"device type 8", "CPU and CUDA"});
    // A device number that no machine has: without CUDA there is no backend, with CUDA there is no such device.
    cuda.device_id = 4096;
    f.expect_text(IQA_ERROR_UNAVAILABLE, f.ssim(cuda, cuda), {"CUDA"});
}

void reach_states()
{
    fixture f;
    const iqa_tensor good = f.tensor();
    fixture::holder ssim, other, psnr;
    f.create_ssim(ssim);
    f.create_psnr(psnr);
    double value = 0.0;
    f.expect_text(IQA_ERROR_NO_DATA, iqa_metric_compute(ssim, &value), {"no image"});
    f.expect_text(IQA_ERROR_NO_DATA, iqa_metric_compute(psnr, &value), {"no image"});
    f.expect_text(IQA_ERROR_NO_DATA, iqa_metric_read(psnr, IQA_FIELD_MEAN_PSNR_OF_FINITE, &value, 1, nullptr),
                  {"finite"});
    CHECK(iqa_metric_update(ssim, &good, &good, nullptr) == IQA_OK);

    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_merge(ssim, psnr), {"different kinds"});
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.k1 = 0.02;
    CHECK(iqa_ssim_create(f.context, &options, &other.metric) == IQA_OK);
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_merge(ssim, other), {"different options"});
    std::vector<int64_t> lanes(7);
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_add_lanes(ssim, lanes.data(), 6),
                  {"6 lanes were given", "this metric has 7"});
    lanes[0] = -1;
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_add_lanes(ssim, lanes.data(), 7), {"lane 0 is -1", "never"});
    lanes[0] = INT64_MAX;
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_add_lanes(ssim, lanes.data(), 7), {"lane 0"});
    CHECK(iqa_metric_update(psnr, &good, &good, nullptr) == IQA_OK);
    const iqa_tensor words = f.tensor(IQA_UINT16);
    CHECK(iqa_metric_update(psnr, &words, &words, nullptr) == IQA_OK);
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_compute(psnr, &value), {"8-bit and 16-bit", "data_low"});

    size_t size = 0;
    CHECK(iqa_metric_serialize(ssim, nullptr, 0, &size) == IQA_OK);
    std::vector<unsigned char> state(size);
    CHECK(iqa_metric_serialize(ssim, state.data(), size, nullptr) == IQA_OK);
    const std::string held = "holds " + std::to_string(size - 1);
    const std::string needed = std::to_string(size) + " are needed";
    size_t count = 0;
    f.expect_text(IQA_ERROR_BUFFER_SIZE, iqa_metric_serialize(ssim, state.data(), size - 1, &count),
                  {held.c_str(), needed.c_str()});
    CHECK(count == size);
    f.expect_text(IQA_ERROR_BUFFER_SIZE, iqa_metric_lanes(ssim, lanes.data(), 6, &count), {"holds 6", "7 are needed"});
    CHECK(count == 7);
    f.expect_text(IQA_ERROR_BUFFER_SIZE, iqa_metric_read(ssim, IQA_FIELD_VALUE, &value, 0, &count),
                  {"holds 0", "1 are needed"});

    iqa_metric *loaded = nullptr;
    f.expect_text(IQA_ERROR_CORRUPT, iqa_metric_deserialize(f.context, state.data(), size - 1, &loaded), {"announces"});
    f.expect_text(IQA_ERROR_CORRUPT, iqa_metric_deserialize(f.context, state.data(), 3, &loaded), {"3 bytes"});
    state[size - 1] ^= 1;
    f.expect_text(IQA_ERROR_CORRUPT, iqa_metric_deserialize(f.context, state.data(), size, &loaded), {"checksum"});
    state[0] = 'X';
    f.expect_text(IQA_ERROR_CORRUPT, iqa_metric_deserialize(f.context, state.data(), size, &loaded), {"IQAS"});
    state[0] = 'I';
    state[4] = 2;
    f.expect_text(IQA_ERROR_INCOMPATIBLE, iqa_metric_deserialize(f.context, state.data(), size, &loaded),
                  {"format version 2", "version 1"});
    CHECK(loaded == nullptr);
}

void reach_numeric()
{
    fixture f;
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.data_low = 0.0;
    options.data_high = 1.0;
    f.samples[5 * 30 + 7] = std::nan("");
    f.samples[9 * 30 + 1] = std::numeric_limits<double>::infinity();
    const iqa_tensor image = f.tensor(IQA_FLOAT64);
    double value = 0.0;
    f.expect_text(IQA_ERROR_NUMERIC, iqa_measure_ssim(f.context, &options, &image, &image, &value),
                  {"4 non-finite samples", "reference at [5, 7]", "IQA_NONFINITE_PROPAGATE"});
    f.samples[5 * 30 + 7] = f.samples[9 * 30 + 1] = 1e300;
    f.expect_text(IQA_ERROR_NUMERIC, iqa_measure_ssim(f.context, &options, &image, &image, &value),
                  {"data range 0 ... 1", "overflow"});
}

void reach_callbacks()
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.progress = [](void *, int64_t, int64_t) -> int32_t {
        return 1;
    };
    {
        fixture f(&options);
        f.expect_text(IQA_ERROR_CANCELLED, f.ssim(f.tensor(), f.tensor()), {"progress callback", "of 1 pieces"});
    }
    options = IQA_CONTEXT_OPTIONS_INIT;
    options.allocate = [](void *, size_t) -> void * {
        return nullptr;
    };
    options.deallocate = [](void *, void *, size_t) {
    };
    iqa_context *context = nullptr;
    expect(IQA_ERROR_OUT_OF_MEMORY, iqa_context_create(&options, &context), nullptr, {"memory"});
    // A callback of the caller's that throws is the one way to a status that stands for a defect.
    options.allocate = [](void *, size_t) -> void * {
        throw 42;
    };
    expect(IQA_ERROR_INTERNAL, iqa_context_create(&options, &context), nullptr, {});
    CHECK(context == nullptr);
}

} // namespace

int main()
{
    fixture f;
    const iqa_tensor good = f.tensor();
    expect(IQA_OK, f.ssim(good, good), f.context, {});
    CHECK(std::strcmp(iqa_context_error(f.context), "") == 0);
    reach_invalid_argument();
    reach_shape_dtype_device();
    reach_states();
    reach_numeric();
    reach_callbacks();

    // A failing CUDA call needs a CUDA device that fails: no public call brings that about.
    const std::set<iqa_status> not_reachable = {IQA_ERROR_CUDA};
    int codes = 0;
    for (; std::strcmp(iqa_status_name(codes), "IQA_ERROR_UNKNOWN") != 0; ++codes)
        if (reached.count(codes) + not_reachable.count(codes) != 1) {
            std::fprintf(stderr, "%s was not reached\n", iqa_status_name(codes));
            return 1;
        }
    CHECK(codes == IQA_ERROR_INTERNAL + 1 && reached.size() == size_t(codes) - not_reachable.size());
    CHECK(std::strcmp(iqa_status_name(-1), "IQA_ERROR_UNKNOWN") == 0);
    std::printf("%zu of %d statuses reached; not reachable: IQA_ERROR_CUDA\n", reached.size(), codes);
    return 0;
}

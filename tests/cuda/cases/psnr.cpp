// SPDX-License-Identifier: MIT
// PSNR and mean errors over types, layouts, strides, weights, luma, margins, errors of any size, and all outputs of an
// update.
#include <cstring>
#include <limits>

#include "arith/element_type.h"
#include "cuda/cases/cases.hpp"

namespace test {

namespace {

using shape_of = std::vector<int64_t>;

constexpr int all_types[] = {IQA_UINT8, IQA_UINT16, IQA_INT16, IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64};

// Integers up to 119 and errors up to 6, with fractions for the larger floating-point types, times `unit`.
case_update pair_of(int dtype, const shape_of &shape, uint64_t seed, double unit = 1.0)
{
    case_update update;
    iqa::with_sample_type(static_cast<iqa::element_type>(dtype), [&]<class Sample>(Sample) {
        const bool fraction = std::is_same_v<Sample, float> || std::is_same_v<Sample, double>;
        random_numbers random(seed);
        const auto value = [&](int64_t i) {
            return unit * (double((i * 7 + i / 13 * 5) % 114) + (fraction ? random.uniform() : 0.0));
        };
        update.reference = dense<Sample>(shape, value);
        update.candidate = dense<Sample>(shape, [&](int64_t i) { return value(i) + unit * double(random.below(7)); });
    });
    return update;
}

void want_values(case_update &update, int64_t images, int64_t channels)
{
    update.per_image = output({images});
    update.per_channel = output({images, channels});
}

void want_gradients(case_update &update)
{
    update.candidate_gradient = output(update.reference.shape, IQA_FLOAT32);
    update.reference_gradient = output(update.reference.shape, IQA_FLOAT64);
}

template <class Options>
Options options_for(int layout, double high = 255)
{
    Options options;
    if constexpr (std::is_same_v<Options, iqa_psnr_options>)
        options = IQA_PSNR_OPTIONS_INIT;
    else
        options = IQA_ERRORS_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = high;
    return options;
}

metric_pointer make_metric(const context_pointer &context, const iqa_psnr_options &options)
{
    return make_psnr(context, options);
}

metric_pointer make_metric(const context_pointer &context, const iqa_errors_options &options)
{
    return make_errors(context, options);
}

template <class Options>
device_case make_case(const std::string &name, const Options &options, std::vector<case_update> updates)
{
    return {name, [options](const context_pointer &context) { return make_metric(context, options); },
            std::move(updates)};
}

// The case with other gradients, or other values.
void change(iqa_psnr_options &options)
{
    options.gradient = IQA_GRADIENT_OF_MSE;
}

void change(iqa_errors_options &options)
{
    options.measure = IQA_ROOT_MEAN_SQUARED_ERROR;
}

// Plain images of every type and layout, in sizes with planes at any alignment; some samples are out of range.
template <class Options>
void add_plain(std::vector<device_case> &cases, bool few)
{
    for (const int type : all_types)
        for (const int layout : {IQA_LAYOUT_NCHW, IQA_LAYOUT_NHWC, IQA_LAYOUT_NDHW})
            for (const double high : {255.0, 100.0}) {
                if (few && ((type != IQA_UINT8 && type != IQA_FLOAT32) || layout == IQA_LAYOUT_NHWC || high > 100))
                    continue;
                const bool interleaved = layout == IQA_LAYOUT_NHWC;
                const shape_of shape = interleaved ? shape_of{3, 37, 53, 3} : shape_of{3, 3, 37, 53};
                case_update values = pair_of(type, shape, 3);
                case_update every_output = values;
                want_values(values, 3, layout == IQA_LAYOUT_NDHW ? 1 : 3);
                every_output.per_image = values.per_image;
                want_gradients(every_output);
                cases.push_back(make_case("plain, type " + std::to_string(type) + ", layout " + std::to_string(layout),
                                          options_for<Options>(layout, high), {values, every_output}));
            }
}

// Many blocks for one image, and one block for each of many images.
template <class Options>
void add_sizes(std::vector<device_case> &cases)
{
    for (const int type : {IQA_UINT8, IQA_FLOAT32}) {
        cases.push_back(make_case("large", options_for<Options>(IQA_LAYOUT_HW), {pair_of(type, {700, 811}, 5)}));
        case_update many = pair_of(type, {300, 5, 7}, 5);
        want_values(many, 300, 1);
        cases.push_back(make_case("many", options_for<Options>(IQA_LAYOUT_NHW), {many}));
        cases.push_back(make_case("one sample", options_for<Options>(IQA_LAYOUT_HW), {pair_of(type, {1, 1}, 5)}));
    }
}

// Several samples for each thread, along axes longer and shorter than a block's threads.
void add_many_samples(std::vector<device_case> &cases)
{
    const auto mask = [](const shape_of &shape) {
        return dense<uint8_t>(shape, [](int64_t i) { return double(i % 16 != 5); });
    };
    case_update planar = pair_of(IQA_UINT8, {1, 3, 600, 600}, 35);
    planar.weights = mask({1, 1, 600, 600});
    want_gradients(planar);
    cases.push_back(make_case("many samples, planar", options_for<iqa_psnr_options>(IQA_LAYOUT_NCHW, 100), {planar}));
    case_update interleaved = pair_of(IQA_FLOAT32, {1, 600, 600, 3}, 36);
    interleaved.weights = mask({1, 600, 600});
    want_gradients(interleaved);
    cases.push_back(
        make_case("many samples, interleaved", options_for<iqa_psnr_options>(IQA_LAYOUT_NHWC, 100), {interleaved}));
    case_update with_gaps = pair_of(IQA_FLOAT32, {1040, 1100}, 37);
    for (case_tensor *tensor : {&with_gaps.reference, &with_gaps.candidate}) {
        tensor->shape = {1040, 1030};
        tensor->strides = {1100, 1};
    }
    with_gaps.weights = mask({1040, 1030});
    want_gradients(with_gaps);
    cases.push_back(make_case("many samples, gaps", options_for<iqa_psnr_options>(IQA_LAYOUT_HW, 100), {with_gaps}));
    iqa_psnr_options luma = options_for<iqa_psnr_options>(IQA_LAYOUT_CHW, 100);
    luma.luma = IQA_LUMA_BT601_STUDIO;
    cases.push_back(make_case("many samples, luma", luma, {pair_of(IQA_UINT8, {3, 1040, 1030}, 38)}));
}

// Views of larger images: rows with gaps, mirrored, transposed, repeated; off multiples of 16 bytes, with equal and
// with different alignment.
template <class Options>
void add_strides(std::vector<device_case> &cases)
{
    for (const int type : {IQA_UINT8, IQA_UINT16, IQA_FLOAT32, IQA_FLOAT64}) {
        const uint64_t size = uint64_t(type & 0xff) / 8;
        const struct {
            const char *name;
            shape_of reference, candidate;
            uint64_t reference_first, candidate_first;
        } views[] = {
            {"rows with gaps", {64, 1}, {64, 1}, 0, 0}, {"shifted alike", {64, 1}, {64, 1}, 3, 3},
            {"shifted apart", {64, 1}, {64, 1}, 3, 4},  {"other gaps", {64, 1}, {80, 1}, 3, 3},
            {"gaps that part", {64, 1}, {65, 1}, 3, 3}, {"upside down", {-64, 1}, {-64, 1}, 64 * 22, 64 * 22},
            {"mirrored", {64, -1}, {64, -1}, 40, 40},   {"transposed", {1, 64}, {1, 64}, 0, 0},
            {"one transposed", {1, 64}, {64, 1}, 0, 0}, {"repeated", {0, 1}, {64, 0}, 0, 0},
            {"every second", {64, 2}, {64, 2}, 1, 1},
        };
        for (const auto &view : views) {
            case_update update = pair_of(type, {80, 80}, 7);
            for (case_tensor *tensor : {&update.reference, &update.candidate})
                tensor->shape = {23, 31};
            update.reference.strides = view.reference;
            update.candidate.strides = view.candidate;
            update.reference.byte_offset = view.reference_first * size;
            update.candidate.byte_offset = view.candidate_first * size;
            want_gradients(update);
            cases.push_back(make_case(view.name, options_for<Options>(IQA_LAYOUT_HW), {update}));
        }
    }
}

template <class Options>
void add_weights(std::vector<device_case> &cases, bool few)
{
    for (const int type : all_types)
        for (const int layout : {IQA_LAYOUT_NCHW, IQA_LAYOUT_NHWC}) {
            if (few && type != IQA_UINT16 && type != IQA_FLOAT32)
                continue;
            const bool interleaved = layout == IQA_LAYOUT_NHWC;
            case_update update = pair_of(type, interleaved ? shape_of{2, 21, 40, 3} : shape_of{2, 3, 21, 40}, 11);
            want_values(update, 2, 3);
            want_gradients(update);
            random_numbers random(12);
            const auto weight = [&](int64_t) {
                return random.below(3) == 0 ? 0.0 : random.uniform();
            };
            case_update of_samples = update;
            of_samples.weights = dense<double>(update.reference.shape, weight);
            update.weights = dense<float>(interleaved ? shape_of{2, 21, 40} : shape_of{1, 1, 21, 40}, weight);
            case_update masked = update;
            masked.weights = dense<uint8_t>({2, 21, 40}, [&](int64_t) { return double(random.below(2)); });
            masked.weights.dtype = IQA_BOOL;
            cases.push_back(make_case("weights, type " + std::to_string(type), options_for<Options>(layout, 100),
                                      {of_samples, update, masked}));
        }
}

template <class Options>
void add_luma_and_edges(std::vector<device_case> &cases)
{
    for (const int type : {IQA_UINT8, IQA_INT16, IQA_FLOAT32, IQA_FLOAT64})
        for (const int layout : {IQA_LAYOUT_NHWC, IQA_LAYOUT_NCDHW})
            for (const int luma : {IQA_LUMA_NONE, IQA_LUMA_BT601_STUDIO}) {
                Options options = options_for<Options>(layout, 100);
                options.luma = luma;
                options.luma_rounded = luma != IQA_LUMA_NONE;
                options.shave = 2;
                if (type == IQA_INT16)
                    change(options);
                const bool deep = layout == IQA_LAYOUT_NCDHW;
                case_update update = pair_of(type, deep ? shape_of{2, 3, 7, 9, 21} : shape_of{2, 19, 23, 3}, 13);
                want_values(update, 2, luma == IQA_LUMA_NONE ? 3 : 1);
                want_gradients(update);
                cases.push_back(make_case("luma and edges", options, {update}));
            }
}

// Errors beyond the usual grids, for which an image is summed twice, beside usual errors and equal images.
template <class Options>
void add_sizes_of_errors(std::vector<device_case> &cases)
{
    for (const int type : {IQA_FLOAT32, IQA_FLOAT64})
        for (const double unit : {1e-30, 1e-9, 1e4, 1e30}) {
            const size_t size = size_t(type & 0xff) / 8;
            case_update update = pair_of(type, {4, 12, 30}, 17);
            const case_update other = pair_of(type, {1, 12, 30}, 19, unit);
            const auto place = [&](const case_tensor &from, case_tensor &to, size_t image) {
                std::memcpy(to.bytes.data() + image * from.bytes.size(), from.bytes.data(), 360 * size);
            };
            place(other.reference, update.reference, 1);
            place(other.candidate, update.candidate, 1);
            place(other.reference, update.reference, 3);
            place(other.reference, update.candidate, 3);
            want_values(update, 4, 1);
            want_gradients(update);
            cases.push_back(
                make_case("errors of size " + std::to_string(unit), options_for<Options>(IQA_LAYOUT_NHW), {update}));
            update.weights = dense<float>({4, 12, 30}, [](int64_t i) { return double(i % 5) / 4; });
            Options capped = options_for<Options>(IQA_LAYOUT_NHW);
            if constexpr (std::is_same_v<Options, iqa_psnr_options>)
                capped.cap = 60;
            cases.push_back(make_case("weighted errors of size " + std::to_string(unit), capped, {update}));
        }
}

// Faults of the data: the state stays without that update, and the next update counts.
template <class Options>
void add_faults(std::vector<device_case> &cases)
{
    const double infinity = std::numeric_limits<double>::infinity();
    for (const int rule : {IQA_NONFINITE_ERROR, IQA_NONFINITE_PROPAGATE, IQA_NONFINITE_MASK}) {
        case_update update = pair_of(IQA_FLOAT64, {2, 20, 31}, 23);
        std::memcpy(update.candidate.bytes.data() + 8 * 700, &infinity, 8);
        std::memcpy(update.reference.bytes.data() + 8 * 703, &infinity, 8);
        want_values(update, 2, 1);
        want_gradients(update);
        Options options = options_for<Options>(IQA_LAYOUT_NHW, 100);
        options.nonfinite = rule;
        cases.push_back(make_case("not finite, rule " + std::to_string(rule), options,
                                  {update, pair_of(IQA_FLOAT64, {2, 20, 31}, 23)}));
    }
    case_update overflow = pair_of(IQA_FLOAT64, {2, 5, 6}, 27);
    const double huge = 1.7e308;
    const double minus = -huge;
    std::memcpy(overflow.candidate.bytes.data() + 8 * 40, &huge, 8);
    std::memcpy(overflow.reference.bytes.data() + 8 * 40, &minus, 8);
    cases.push_back(make_case("overflow", options_for<Options>(IQA_LAYOUT_NHW), {overflow}));
    const Options immense = options_for<Options>(IQA_LAYOUT_NHW, 1e300);
    cases.push_back(make_case("an immense range", immense, {pair_of(IQA_FLOAT32, {2, 5, 6}, 27, 1e-38)}));
    case_update bad = pair_of(IQA_UINT8, {2, 5, 6}, 29);
    bad.weights = dense<float>({2, 5, 6}, [](int64_t i) { return i == 37 ? 1.5 : 1.0; });
    cases.push_back(make_case("a bad weight", options_for<Options>(IQA_LAYOUT_NHW), {bad}));
    bad.weights = dense<float>({2, 5, 6}, [](int64_t i) { return i < 30 ? 1.0 : 0.0; });
    cases.push_back(make_case("an image masked altogether", options_for<Options>(IQA_LAYOUT_NHW), {bad}));
    case_update of_type = pair_of(IQA_UINT16, {2, 5, 6}, 31);
    Options unstated = options_for<Options>(IQA_LAYOUT_NHW, -1);
    cases.push_back(make_case("the range of the type", unstated, {of_type}));
}

template <class Options>
std::vector<device_case> all_cases(bool few)
{
    std::vector<device_case> cases;
    add_plain<Options>(cases, few);
    add_weights<Options>(cases, few);
    add_luma_and_edges<Options>(cases);
    if (few)
        return cases;
    add_sizes<Options>(cases);
    add_strides<Options>(cases);
    add_sizes_of_errors<Options>(cases);
    add_faults<Options>(cases);
    return cases;
}

// Every measure, also for images with NaN and without a data range.
void add_measures(std::vector<device_case> &cases)
{
    for (int measure = IQA_MEAN_ABSOLUTE_ERROR; measure <= IQA_SIGNAL_TO_NOISE_RATIO; ++measure) {
        case_update update = pair_of(IQA_FLOAT32, {3, 2, 17, 19}, 33);
        const float nan = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(update.candidate.bytes.data() + 4 * 700, &nan, 4);
        want_values(update, 3, 2);
        iqa_errors_options options = options_for<iqa_errors_options>(IQA_LAYOUT_NCHW, -1);
        options.measure = measure;
        options.nonfinite = IQA_NONFINITE_PROPAGATE;
        cases.push_back(make_case("measure " + std::to_string(measure), options, {update}));
    }
}

} // namespace

std::vector<device_case> psnr_cases(bool few)
{
    std::vector<device_case> cases = all_cases<iqa_psnr_options>(few);
    if (!few)
        add_many_samples(cases);
    return cases;
}

std::vector<device_case> errors_cases(bool few)
{
    std::vector<device_case> cases = all_cases<iqa_errors_options>(few);
    if (!few)
        add_measures(cases);
    return cases;
}

} // namespace test

// SPDX-License-Identifier: MIT
// SSIM over types, layouts, windows, borders, weights, levels, and all outputs of an update.
#include <cstring>
#include <numeric>

#include "cuda/cases/cases.hpp"

namespace test {

namespace {

using shape_of = std::vector<int64_t>;

// A pair of images: texture with some noise; with fractions for floats.
template <class Sample>
void fill(case_update &update, const shape_of &shape, uint64_t seed)
{
    auto random = std::make_shared<random_numbers>(seed);
    const bool fraction = std::is_same_v<Sample, float> || std::is_same_v<Sample, double>;
    auto values = std::make_shared<std::vector<double>>();
    const auto reference = [=](int64_t i) {
        const double value =
            double((i * 7 + i / 13 * 5) % 190) + double(random->below(40)) + (fraction ? random->uniform() : 0.0);
        values->push_back(value);
        return value;
    };
    const auto candidate = [=](int64_t i) {
        const double value = (*values)[size_t(i)] + double(random->below(21)) - 10;
        return value < 0 ? 0 : value > 255 ? 255 : value;
    };
    update.reference = dense<Sample>(shape, reference);
    update.candidate = dense<Sample>(shape, candidate);
}

void fill(case_update &update, int dtype, const shape_of &shape, uint64_t seed)
{
    switch (dtype) {
    case IQA_UINT8:
        return fill<uint8_t>(update, shape, seed);
    case IQA_UINT16:
        return fill<uint16_t>(update, shape, seed);
    case IQA_INT16:
        return fill<int16_t>(update, shape, seed);
    case IQA_FLOAT16:
        return fill<iqa::float16>(update, shape, seed);
    case IQA_BFLOAT16:
        return fill<iqa::bfloat16>(update, shape, seed);
    case IQA_FLOAT32:
        return fill<float>(update, shape, seed);
    default:
        return fill<double>(update, shape, seed);
    }
}

device_case make_case(const std::string &name, const iqa_ssim_options &options, std::vector<case_update> updates)
{
    return {name, [options](const context_pointer &context) { return make_ssim(context, options); },
            std::move(updates)};
}

iqa_ssim_options base(int layout)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 255;
    return options;
}

template <class Change>
iqa_ssim_options with(iqa_ssim_options options, Change &&change)
{
    change(options);
    return options;
}

// Asks for all outputs of an update.
void want_all(case_update &update, const shape_of &shape, int64_t images, int64_t channels, const shape_of &map,
              bool gradients)
{
    update.per_image = output({images});
    update.per_channel = output({images, channels});
    update.map = output(map, IQA_FLOAT32);
    if (gradients) {
        update.candidate_gradient = output(shape, IQA_FLOAT32);
        update.reference_gradient = output(shape, IQA_FLOAT64);
    }
}

constexpr int all_types[] = {IQA_UINT8, IQA_UINT16, IQA_INT16, IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64};

// Plain images of every type, planes and interleaved, over several tiles.
void add_plain(std::vector<device_case> &cases, bool few)
{
    for (const int type : all_types)
        for (const int layout : {IQA_LAYOUT_NCHW, IQA_LAYOUT_NHWC}) {
            if (few && type != IQA_UINT8 && type != IQA_FLOAT32)
                continue;
            const bool interleaved = layout == IQA_LAYOUT_NHWC;
            const int64_t height = few ? 40 : 83;
            const int64_t width = few ? 50 : 171;
            const shape_of shape = interleaved ? shape_of{2, height, width, 3} : shape_of{2, 3, height, width};
            const shape_of map =
                interleaved ? shape_of{2, height - 10, width - 10, 3} : shape_of{2, 3, height - 10, width - 10};
            case_update update;
            fill(update, type, shape, 7);
            case_update second = update;
            want_all(second, shape, 2, 3, map, false);
            cases.push_back(make_case("plain, type " + std::to_string(type) + (interleaved ? ", NHWC" : ", NCHW"),
                                      base(layout), {update, second}));
        }
}

void add_windows_and_borders(std::vector<device_case> &cases, bool few)
{
    for (const int border :
         {IQA_BORDER_VALID, IQA_BORDER_REFLECT, IQA_BORDER_SYMMETRIC, IQA_BORDER_REPLICATE, IQA_BORDER_ZERO})
        for (const int size : {11, 7, 3, 23}) {
            if (few && size != 11)
                continue;
            case_update update;
            const shape_of shape = {70, 139};
            fill(update, border % 2 == 0 ? IQA_FLOAT32 : IQA_UINT8, shape, 11);
            const bool valid = border == IQA_BORDER_VALID;
            want_all(update, shape, 1, 1, {valid ? 70 - size + 1 : 70, valid ? 139 - size + 1 : 139}, true);
            cases.push_back(make_case("window " + std::to_string(size) + ", border " + std::to_string(border),
                                      with(base(IQA_LAYOUT_HW),
                                           [&](iqa_ssim_options &o) {
                                               o.border = border;
                                               o.size_y = o.size_x = size;
                                               o.window = size == 7 ? IQA_WINDOW_UNIFORM : IQA_WINDOW_GAUSSIAN;
                                               o.arithmetic = size == 3 ? IQA_ARITHMETIC_FLOAT64 : IQA_ARITHMETIC_AUTO;
                                           }),
                                      {update}));
        }
}

void add_weights(std::vector<device_case> &cases)
{
    for (const int mask : {IQA_MASK_CONVOLUTION, IQA_MASK_MAP}) {
        case_update update;
        const shape_of shape = {2, 2, 40, 47};
        fill(update, IQA_FLOAT32, shape, 13);
        random_numbers random(5);
        update.weights = dense<float>({2, 1, 40, 47}, [&](int64_t) { return double(random.below(3)) / 2; });
        want_all(update, shape, 2, 2, {2, 2, 30, 37}, true);
        cases.push_back(make_case("weights, mask " + std::to_string(mask),
                                  with(base(IQA_LAYOUT_NCHW),
                                       [&](iqa_ssim_options &o) {
                                           o.mask = mask;
                                           o.coverage = 0.25;
                                       }),
                                  {update}));
    }
}

void add_scales(std::vector<device_case> &cases)
{
    const auto three = [](iqa_ssim_options &o) {
        o.scales = 3;
        o.size_y = o.size_x = 5;
        o.scale_weights[0] = 0.2;
        o.scale_weights[1] = 0.3;
        o.scale_weights[2] = 0.5;
        o.negative = IQA_NEGATIVE_RELU;
    };
    const auto two = [](iqa_ssim_options &o) {
        o.scales = 2;
        o.scale_weights[0] = o.scale_weights[1] = 0.5;
        o.negative = IQA_NEGATIVE_RELU;
    };
    case_update update;
    const shape_of shape = {3, 3, 45, 62};
    fill(update, IQA_UINT8, shape, 17);
    want_all(update, shape, 3, 3, {3, 3, 41, 58}, true);
    cases.push_back(make_case("three scales", with(base(IQA_LAYOUT_NCHW), three), {update, update}));
    cases.push_back(make_case("three scales with parts, product of means",
                              with(base(IQA_LAYOUT_NCHW),
                                   [&](iqa_ssim_options &o) {
                                       three(o);
                                       o.parts = 1;
                                       o.product = IQA_PRODUCT_OF_IMAGE;
                                   }),
                              {update}));
    case_update odd; // in one axis
    const shape_of usual = {2, 1, 46, 77};
    fill(odd, IQA_FLOAT32, usual, 59);
    want_all(odd, usual, 2, 1, {2, 1, 36, 67}, true);
    for (const int rule : {IQA_SHRINK_SYMMETRIC, IQA_SHRINK_FLOOR, IQA_SHRINK_ZERO, IQA_SHRINK_REPLICATE})
        cases.push_back(make_case("two scales, shrink " + std::to_string(rule),
                                  with(base(IQA_LAYOUT_NCHW),
                                       [=](iqa_ssim_options &o) {
                                           two(o);
                                           o.shrink = rule;
                                       }),
                                  {odd}));
    case_update weighted;
    const shape_of smaller = {1, 2, 27, 38};
    fill(weighted, IQA_FLOAT32, smaller, 61);
    want_all(weighted, smaller, 1, 2, {1, 2, 23, 34}, true);
    case_update masked = weighted;
    weighted.weights = dense<float>({1, 1, 27, 38}, [](int64_t i) { return double(i % 5) / 4; });
    const float value = __builtin_nanf("");
    for (const size_t at : {size_t(5), size_t(1000), size_t(1500)})
        std::memcpy(masked.candidate.bytes.data() + 4 * at, &value, sizeof value);
    const auto two_of_five_taps = [=](iqa_ssim_options &o) {
        two(o);
        o.size_y = o.size_x = 5;
    };
    for (const int mask : {IQA_MASK_CONVOLUTION, IQA_MASK_MAP})
        cases.push_back(make_case("two scales of weights, mask " + std::to_string(mask),
                                  with(base(IQA_LAYOUT_NCHW),
                                       [=](iqa_ssim_options &o) {
                                           two_of_five_taps(o);
                                           o.mask = mask;
                                       }),
                                  {weighted}));
    cases.push_back(make_case("two scales of samples that are not finite",
                              with(base(IQA_LAYOUT_NCHW),
                                   [=](iqa_ssim_options &o) {
                                       two_of_five_taps(o);
                                       o.nonfinite = IQA_NONFINITE_MASK;
                                   }),
                              {masked}));
    case_update halved = update;
    halved.map = output({3, 3, 19, 27}, IQA_FLOAT32);
    cases.push_back(make_case("downsampled",
                              with(base(IQA_LAYOUT_NCHW),
                                   [](iqa_ssim_options &o) {
                                       o.downsample = 2;
                                       o.size_y = o.size_x = 5;
                                   }),
                              {halved}));
}

void add_volumes(std::vector<device_case> &cases)
{
    case_update update;
    const shape_of shape = {1, 14, 21, 40};
    fill(update, IQA_FLOAT32, shape, 19);
    want_all(update, shape, 1, 1, {1, 10, 17, 36}, true);
    cases.push_back(make_case(
        "volume", with(base(IQA_LAYOUT_NDHW), [](iqa_ssim_options &o) { o.size_z = o.size_y = o.size_x = 5; }),
        {update}));

    case_update usual;
    const shape_of larger = {1, 14, 27, 46};
    fill(usual, IQA_FLOAT32, larger, 53);
    want_all(usual, larger, 1, 1, larger, true);
    case_update weighted = usual;
    weighted.weights = dense<float>(larger, [](int64_t i) { return double(i % 5) / 4; });
    for (const int depth : {11, 3})
        cases.push_back(make_case("volume, 11 taps and " + std::to_string(depth) + " in depth",
                                  with(base(IQA_LAYOUT_NDHW),
                                       [&](iqa_ssim_options &o) {
                                           o.size_z = depth;
                                           o.size_y = o.size_x = 11;
                                           o.border = IQA_BORDER_REFLECT;
                                       }),
                                  {usual, weighted}));
}

void add_rest(std::vector<device_case> &cases)
{
    case_update update;
    const shape_of shape = {2, 30, 40, 3};
    fill(update, IQA_UINT8, shape, 23);
    want_all(update, shape, 2, 1, {2, 20, 30, 1}, true);
    cases.push_back(make_case("luma",
                              with(base(IQA_LAYOUT_NHWC),
                                   [](iqa_ssim_options &o) {
                                       o.luma = IQA_LUMA_BT601_STUDIO;
                                       o.luma_rounded = 1;
                                   }),
                              {update}));

    case_update strided;
    fill(strided, IQA_FLOAT32, {40, 64}, 29);
    strided.reference.shape = {20, 32};
    strided.reference.strides = {-128, 2};
    strided.reference.byte_offset = 38 * 64 * 4;
    strided.candidate.shape = {20, 32};
    strided.candidate.strides = {64, 0};
    cases.push_back(make_case("strides", base(IQA_LAYOUT_HW), {strided}));

    case_update infinite;
    fill(infinite, IQA_FLOAT32, {2, 24, 30}, 31);
    const float value = __builtin_inff();
    std::memcpy(infinite.candidate.bytes.data() + 4 * 1000, &value, sizeof value);
    infinite.per_image = output({2});
    infinite.map = output({2, 14, 20});
    case_update in_float = infinite;
    in_float.map = output({2, 14, 20}, IQA_FLOAT32);
    for (const int rule : {IQA_NONFINITE_ERROR, IQA_NONFINITE_PROPAGATE, IQA_NONFINITE_MASK})
        cases.push_back(make_case("not finite, rule " + std::to_string(rule),
                                  with(base(IQA_LAYOUT_NHW), [&](iqa_ssim_options &o) { o.nonfinite = rule; }),
                                  {infinite, in_float}));

    case_update blocks;
    fill(blocks, IQA_UINT8, {2, 3, 43, 70}, 37);
    blocks.per_image = output({2});
    blocks.per_channel = output({2, 3});
    cases.push_back(make_case(
        "blocks", with(base(IQA_LAYOUT_NCHW), [](iqa_ssim_options &o) { o.window = IQA_WINDOW_BLOCKS; }), {blocks}));
}

} // namespace

std::vector<device_case> ssim_cases(bool few)
{
    std::vector<device_case> cases;
    add_plain(cases, few);
    add_windows_and_borders(cases, few);
    add_weights(cases);
    add_scales(cases);
    add_volumes(cases);
    add_rest(cases);
    return cases;
}

std::vector<device_case> cases_of_many_parts(int64_t blocks)
{
    constexpr int64_t slices_of_a_part = 8;
    int64_t parts = 3; // of a volume; the last one has three slices
    while (std::gcd(parts, blocks) > 1)
        parts += 2; // else a block would take only last parts
    const int64_t volumes = 3 * blocks / parts + 1;
    const shape_of shape = {volumes, slices_of_a_part * (parts - 1) + 3, 5, 6};
    const iqa_ssim_options of_three_taps =
        with(base(IQA_LAYOUT_NDHW), [](iqa_ssim_options &o) { o.size_z = o.size_y = o.size_x = 3; });
    std::vector<device_case> cases;
    for (const int dtype : {IQA_FLOAT32, IQA_FLOAT64}) {
        case_update update;
        fill(update, dtype, shape, 41);
        want_all(update, shape, volumes, 1, {volumes, shape[1] - 2, 3, 4}, true);
        cases.push_back(make_case("many volumes of type " + std::to_string(dtype), of_three_taps, {update}));
    }
    case_update deep; // so many that parts for gradients have 16 slices
    const shape_of of_deep = {256, 19, 5, 6};
    fill(deep, IQA_FLOAT32, of_deep, 47);
    want_all(deep, of_deep, 256, 1, {256, 17, 3, 4}, true);
    cases.push_back(make_case("volumes of deep parts", of_three_taps, {deep}));
    case_update images; // each has one strip of a tile, in double
    fill(images, IQA_FLOAT64, {3 * blocks, 12, 13}, 43);
    cases.push_back(make_case("many images", base(IQA_LAYOUT_NHW), {images}));
    return cases;
}

} // namespace test

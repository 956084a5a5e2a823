// SPDX-License-Identifier: MIT
#include "measuring/measure.hpp"

#include "files/file_error.hpp"
#include "options/ssim_options.hpp"

#include <limits>

namespace iqa_tool {

namespace {

std::string shape_text(const image &picture)
{
    std::string text = std::to_string(picture.height()) + " x " + std::to_string(picture.width());
    if (picture.shape[axis_image] != 1)
        text = std::to_string(picture.shape[axis_image]) + " images of " + text;
    return text;
}

// Every picture is passed as a batch with channels.
settings with_common_layout(settings chosen)
{
    chosen.ssim.layout = chosen.psnr.layout = IQA_LAYOUT_NHWC;
    return chosen;
}

int64_t read_count(const iqa::metric &metric, int32_t field)
{
    return static_cast<int64_t>(metric.read(field));
}

// NaN for a field that pictures of different types do not share.
double read_common(const iqa::metric &metric, int32_t field)
{
    try {
        return metric.read(field);
    } catch (const iqa::error &problem) {
        if (problem.status() == IQA_ERROR_INCOMPATIBLE)
            return std::numeric_limits<double>::quiet_NaN();
        throw;
    }
}

void cut_out(image &picture, const region &wanted)
{
    if (wanted.y + wanted.height > picture.height() || wanted.x + wanted.width > picture.width())
        throw image_error("has " + std::to_string(picture.height()) + " x " + std::to_string(picture.width()) +
                          " pixels, which do not hold the rectangle of --roi");
    picture.first_element += wanted.y * picture.strides[axis_height] + wanted.x * picture.strides[axis_width];
    picture.shape[axis_height] = wanted.height;
    picture.shape[axis_width] = wanted.width;
}

// A mask of other integers as bytes: 0 stays 0, any other value becomes 1.
image as_bytes(const image &mask)
{
    image bytes = make_image(IQA_UINT8, mask.shape, mask.format);
    std::byte *next = bytes.storage.data();
    for (int64_t picture = 0; picture < mask.shape[axis_image]; ++picture)
        for (int64_t y = 0; y < mask.height(); ++y)
            for (int64_t x = 0; x < mask.width(); ++x)
                *next++ = std::byte{mask.sample(picture, y, x, 0) != 0};
    return bytes;
}

// Extras of an update with the mask, if there is one; `mask` is memory for its view.
iqa_update_extras masked_extras(const settings &chosen, iqa_tensor &mask)
{
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    if (chosen.mask) {
        mask = chosen.mask->tensor();
        extras.weights = &mask;
    }
    return extras;
}

} // namespace

image read_picture(const std::string &path, const file_handle &file, const settings &chosen)
{
    return blame(path, [&] {
        image picture = read_image(file, chosen.decode);
        apply_alpha_policy(picture, chosen.alpha);
        if (chosen.roi)
            cut_out(picture, *chosen.roi);
        return picture;
    });
}

void read_mask(settings &chosen)
{
    if (chosen.mask_path.empty())
        return;
    const file_handle file = blame(chosen.mask_path, [&] { return open_file(chosen.mask_path); });
    image mask = read_picture(chosen.mask_path, file, chosen);
    blame(chosen.mask_path, [&] {
        if (mask.channels() != 1)
            throw image_error("has " + std::to_string(mask.channels()) + " channels; a mask has one");
        if (mask.dtype == IQA_FLOAT16)
            throw image_error("holds float16; weights are float32 or float64, or integers for a mask");
        if (mask.dtype != IQA_UINT8 && !dtype_is_float(mask.dtype))
            mask = as_bytes(mask);
    });
    chosen.mask = std::make_shared<const image>(std::move(mask));
}

double measure_ssim(const iqa::context &context, iqa_ssim_options options, const image &reference, const image &test,
                    const settings &chosen)
{
    options.layout = IQA_LAYOUT_NHWC;
    iqa::metric metric = iqa::metric::ssim(context, &options);
    iqa_tensor mask{};
    const iqa_update_extras extras = masked_extras(chosen, mask);
    metric.update(reference.tensor(), test.tensor(), &extras);
    return metric.compute();
}

int64_t downsample_factor(const image &picture, const iqa_ssim_options &ssim)
{
    iqa_ssim_options options = ssim;
    options.layout = IQA_LAYOUT_NHWC;
    int32_t factor = 1; // also for a picture that is too small: the library says so
    iqa_ssim_map_shape(nullptr, &options, 4, picture.shape.data(), nullptr, &factor);
    return factor;
}

void check_comparable(const image &reference, const image &test, const settings &chosen)
{
    const auto differ = [](const std::string &actual, const std::string &expected) {
        return image_error("has " + actual + ", but the reference has " + expected);
    };
    if (test.channels() != reference.channels())
        throw differ(std::to_string(test.channels()) + " channel" + (test.channels() == 1 ? "" : "s"),
                     std::to_string(reference.channels()));
    check_orientation(test, reference);
    for (const axis extent : {axis_image, axis_height, axis_width})
        if (test.shape[extent] != reference.shape[extent])
            throw differ(shape_text(test) + " pixels", shape_text(reference));
    if (test.dtype != reference.dtype)
        throw differ(std::string(dtype_name(test.dtype)) + " samples", dtype_name(reference.dtype));
    if (chosen.mask) {
        const image &mask = *chosen.mask;
        const bool one_for_all = mask.shape[axis_image] == 1;
        if (mask.height() != test.height() || mask.width() != test.width() ||
            (!one_for_all && mask.shape[axis_image] != test.shape[axis_image]))
            throw image_error("has " + shape_text(test) + " pixels, but the mask has " + shape_text(mask));
        check_orientation(test, mask);
    }
    if (chosen.data_range_is_stated())
        return;
    if (dtype_is_float(test.dtype))
        throw image_error(std::string("has ") + dtype_name(test.dtype) +
                          " samples, whose range is not known: state it with --data-range (or --data-low and "
                          "--data-high)");
    for (const image *picture : {&reference, &test})
        if (picture->stated_maximum != 0)
            throw image_error((picture == &test ? "has" : "has a reference with") + std::string(" the maximum ") +
                              std::to_string(picture->stated_maximum) +
                              ", not the element type's: state the range with --data-range");
}

measurer::measurer(const settings &chosen)
    : chosen_(with_common_layout(chosen)),
      context_(chosen_.context),
      ssim_(iqa::metric::ssim(context_, &chosen_.ssim)),
      psnr_(iqa::metric::psnr(context_, &chosen_.psnr)),
      total_ssim_(iqa::metric::ssim(context_, &chosen_.ssim)),
      total_psnr_(iqa::metric::psnr(context_, &chosen_.psnr))
{
}

image measurer::make_map(const image &reference) const
{
    const iqa_ssim_options &ssim = chosen_.ssim;
    iqa_ssim_options options = ssim;
    options.layout = IQA_LAYOUT_NHWC;
    std::array<int64_t, 4> shape{};
    if (iqa_ssim_map_shape(nullptr, &options, 4, reference.shape.data(), shape.data(), nullptr) != IQA_OK)
        return {}; // the library says why
    const bool in_double = reference.dtype == IQA_FLOAT64 || ssim.arithmetic == IQA_ARITHMETIC_FLOAT64;
    return make_image(in_double ? IQA_FLOAT64 : IQA_FLOAT32, shape, "map");
}

pair_values measurer::measure(const image &reference, const image &test, image *map)
{
    const int64_t images = reference.shape[axis_image];
    pair_values values;
    values.ssim_per_image.resize(static_cast<std::size_t>(images));
    values.psnr_per_image.resize(static_cast<std::size_t>(images));
    const iqa_tensor ssim_tensor = iqa_cpu_tensor(values.ssim_per_image.data(), IQA_FLOAT64, 1, &images);
    const iqa_tensor psnr_tensor = iqa_cpu_tensor(values.psnr_per_image.data(), IQA_FLOAT64, 1, &images);
    const iqa_tensor reference_tensor = reference.tensor();
    const iqa_tensor test_tensor = test.tensor();

    image drawn;
    iqa_tensor map_tensor{};
    iqa_tensor mask_tensor{};
    iqa_update_extras extras = masked_extras(chosen_, mask_tensor);
    extras.per_image = &ssim_tensor;
    if (map != nullptr) {
        drawn = make_map(reference);
        map_tensor = drawn.tensor();
        if (drawn.storage.size() > 0)
            extras.map = &map_tensor;
    }
    ssim_.reset();
    ssim_.update(reference_tensor, test_tensor, &extras);
    extras.map = nullptr;
    extras.per_image = &psnr_tensor;
    psnr_.reset();
    psnr_.update(reference_tensor, test_tensor, &extras);
    total_ssim_.merge(ssim_);
    total_psnr_.merge(psnr_);
    if (map != nullptr)
        *map = std::move(drawn);

    values.ssim = ssim_.compute();
    if (chosen_.ssim.parts != 0) {
        values.luminance = ssim_.read_all(IQA_FIELD_LUMINANCE);
        values.contrast = ssim_.read_all(IQA_FIELD_CONTRAST_STRUCTURE);
        values.ssim_of_scales = ssim_.read_all(IQA_FIELD_SSIM_OF_SCALES);
    }
    values.psnr = psnr_.compute();
    values.mse = psnr_.read(IQA_FIELD_MSE);
    values.out_of_range = read_count(psnr_, IQA_FIELD_OUT_OF_RANGE);
    values.nonfinite = read_count(psnr_, IQA_FIELD_NONFINITE);
    return values;
}

std::vector<channel_values> measurer::measure_channels(const image &reference, const image &test)
{
    std::vector<channel_values> values;
    if (chosen_.ssim.luma != IQA_LUMA_NONE)
        return values;
    std::array<int64_t, 4> shape{};
    iqa_tensor mask_tensor{};
    const iqa_update_extras extras = masked_extras(chosen_, mask_tensor);
    for (int64_t channel = 0; channel < reference.channels(); ++channel) {
        const iqa_tensor reference_tensor = reference.channel_tensor(channel, shape);
        const iqa_tensor test_tensor = test.channel_tensor(channel, shape);
        ssim_.reset();
        ssim_.update(reference_tensor, test_tensor, &extras);
        psnr_.reset();
        psnr_.update(reference_tensor, test_tensor, &extras);
        values.push_back({ssim_.compute(), psnr_.compute(), psnr_.read(IQA_FIELD_MSE)});
    }
    return values;
}

void measurer::merge(const measurer &other)
{
    total_ssim_.merge(other.total_ssim_);
    total_psnr_.merge(other.total_psnr_);
}

total_values measurer::total() const
{
    total_values values;
    values.images = read_count(total_ssim_, IQA_FIELD_IMAGES);
    if (values.images == 0)
        return values;
    values.infinite_images = read_count(total_psnr_, IQA_FIELD_INFINITE_IMAGES);
    values.out_of_range = read_count(total_psnr_, IQA_FIELD_OUT_OF_RANGE);
    values.ssim = total_ssim_.compute();
    values.psnr = read_common(total_psnr_, IQA_FIELD_VALUE);
    values.psnr_of_mean_mse = read_common(total_psnr_, IQA_FIELD_PSNR_OF_MEAN_MSE);
    values.mean_psnr = read_common(total_psnr_, IQA_FIELD_MEAN_PSNR);
    values.mse = read_common(total_psnr_, IQA_FIELD_MSE);
    return values;
}

} // namespace iqa_tool

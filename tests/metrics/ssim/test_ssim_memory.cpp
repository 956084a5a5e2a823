// SPDX-License-Identifier: MIT
// Memory of SSIM beyond plain images: a few slabs of a volume and the smaller scales, whatever the number of images. A
// warm update takes none. Where there is none, the update says so and changes nothing.
#include "support/catch.hpp"
#include "support/counting_allocator.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

struct way {
    const char *name;
    iqa_ssim_options options;
    bool weights, gradient;
};

template <class Change>
iqa_ssim_options with(int layout, Change &&change)
{
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    options.layout = layout;
    options.data_low = 0;
    options.data_high = 1;
    options.size_z = options.size_y = options.size_x = 5;
    change(options);
    return options;
}

std::vector<way> ways()
{
    const auto scales = [](iqa_ssim_options &o) {
        o.scales = 2;
        o.scale_weights[0] = o.scale_weights[1] = 0.5;
        o.negative = IQA_NEGATIVE_RELU;
    };
    const auto nothing = [](iqa_ssim_options &) {
    };
    return {{"scales", with(IQA_LAYOUT_NCHW, scales), false, false},
            {"scales with weights and gradient", with(IQA_LAYOUT_NCHW, scales), true, true},
            {"weights", with(IQA_LAYOUT_NCHW, nothing), true, false},
            {"parts", with(IQA_LAYOUT_NCHW, [](iqa_ssim_options &o) { o.parts = 1; }), false, false},
            {"downsampled", with(IQA_LAYOUT_NCHW, [](iqa_ssim_options &o) { o.downsample = 2; }), false, true},
            {"volumes", with(IQA_LAYOUT_NDHW, nothing), true, true}};
}

// `images` images of 3 x 40 x 60: channels or slices.
iqa_status add(const way &each, const metric_pointer &metric, int64_t images, int64_t depth = 9)
{
    const bool deep = each.options.layout == IQA_LAYOUT_NDHW;
    const std::vector<int64_t> shape = {images, deep ? depth : 3, 40, 60};
    const size_t samples = size_t(images * shape[1] * 40 * 60);
    random_numbers random(3);
    std::vector<float> x(samples), y(samples), gradient(samples);
    for (size_t i = 0; i < samples; ++i) {
        x[i] = float(random.uniform());
        y[i] = float(random.uniform());
    }
    const std::vector<double> weights(samples, 0.5);
    const tensor tx(x.data(), IQA_FLOAT32, shape);
    const tensor ty(y.data(), IQA_FLOAT32, shape);
    const tensor tw(weights.data(), IQA_FLOAT64, shape);
    const tensor tg(gradient.data(), IQA_FLOAT32, shape);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    if (each.weights)
        extras.weights = tw;
    if (each.gradient)
        extras.candidate_gradient = tg;
    return iqa_metric_update(metric.get(), tx, ty, &extras);
}

} // namespace

TEST_CASE("a warm update of any kind of SSIM takes no memory", "[ssim_memory]")
{
    for (const way &each : ways())
        for (const int threads : {1, 2}) {
            CAPTURE(each.name, threads);
            counting_allocator memory;
            const context_pointer context = memory.make_context(threads);
            const metric_pointer metric = make_ssim(context, each.options);
            REQUIRE(add(each, metric, 3) == IQA_OK);
            const int64_t made = memory.made;
            for (int repeat = 0; repeat < 3; ++repeat)
                REQUIRE(add(each, metric, 3) == IQA_OK);
            CHECK(memory.made == made);
        }
}

TEST_CASE("memory of volumes does not grow with their depth", "[ssim_memory]")
{
    for (const bool gradient : {false, true}) {
        const way volumes = {"", with(IQA_LAYOUT_NDHW, [](iqa_ssim_options &) {}), false, gradient};
        const auto most_of = [&](int64_t depth) {
            counting_allocator memory;
            const context_pointer context = memory.make_context(1);
            REQUIRE(add(volumes, make_ssim(context, volumes.options), 1, depth) == IQA_OK);
            return memory.most;
        };
        // Beyond a box's depth only the results of boxes and the bands of the adjoint are added.
        CHECK(most_of(400) - most_of(100) < 64 * 1024);
    }
}

TEST_CASE("each allocation of SSIM may fail: nothing changes, and the next try is as good", "[ssim_memory]")
{
    for (const way &each : ways()) {
        CAPTURE(each.name);
        counting_allocator memory;
        const context_pointer context = memory.make_context(2);
        const metric_pointer peaceful = make_ssim(context, each.options);
        const std::vector<unsigned char> before = bytes_of(peaceful);
        const int64_t created = memory.made;
        REQUIRE(add(each, peaceful, 2) == IQA_OK);
        const int64_t needed = memory.made - created;
        REQUIRE(needed > 0);
        for (int64_t given = 0; given < needed; ++given) {
            counting_allocator scarce;
            const context_pointer poor = scarce.make_context(2);
            const metric_pointer metric = make_ssim(poor, each.options);
            scarce.refuse_from = scarce.made + given;
            CHECK(add(each, metric, 2) == IQA_ERROR_OUT_OF_MEMORY);
            CHECK(last_error(poor).find("out of memory: ") != std::string::npos);
            CHECK(bytes_of(metric) == before);
            scarce.refuse_from = INT64_MAX;
            REQUIRE(add(each, metric, 2) == IQA_OK);
            CHECK(bytes_of(metric) == bytes_of(peaceful));
        }
    }
}

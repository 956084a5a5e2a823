// SPDX-License-Identifier: MIT
// Host side of networks: enqueues the steps of a group of pictures, and waits for its results.
#include <algorithm>

#include "core/arena.hpp"
#include "core/parallel.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/network/convolution.h"
#include "cuda/network/outputs.h"
#include "cuda/network/pooling.h"
#include "cuda/network/resize.h"

namespace iqa::cuda {

namespace {

// Of resized rows, for as many pictures at a time as it holds, but at least one.
constexpr int64_t most_bytes_of_rows = 64 << 20;

constexpr int64_t blocks_of_a_multiprocessor = 2; // with fewer, narrower tiles are better

class network_run {
public:
    network_run(context &where, workspace &memory, network_request &request) : where_(where), request_(request)
    {
        const image_view &pictures = request.pictures;
        const int64_t picture_bytes =
            pictures.height * request.input.width * pictures.channels * int64_t(sizeof(double));
        resized_together_ = std::clamp<int64_t>(most_bytes_of_rows / picture_bytes, 1, pictures.images);
        place_in(memory.work, "rows of pictures to be resized", [&](arena &all) {
            down_ = axis_of(all, pictures.height, request.input.height);
            across_ = axis_of(all, pictures.width, request.input.width);
            rows_ = all.take<double>(resized_together_ * picture_bytes / int64_t(sizeof(double)));
            found_ = all.take<findings>(1);
        });
    }

    void run()
    {
        check(active_runtime.clear(found_, sizeof(findings), stream_of(where_)), "clearing CUDA memory");
        resize();
        const int64_t pictures = request_.pictures.images;
        const auto steps = int64_t(request_.steps.size());
        for (int64_t i = 0; i < steps; ++i) {
            report_progress(where_, request_.done + pictures * i / steps, request_.total);
            take(request_.steps[size_t(i)]);
        }
        uint64_t first = 0;
        for (const feature_output &output : request_.outputs) {
            launch<store_features>(where_, pictures, 0,
                                   {.output = output, .first = first, .nonfinite = &found_->feature});
            first += uint64_t(pictures * output.from.channels);
        }
        report();
    }

private:
    // Complements, so that the largest is the first; 0: none.
    struct findings {
        uint64_t picture, feature;
    };

    resized_axis axis_of(arena &all, int64_t source, int64_t target) const
    {
        const int64_t most_taps = most_resize_taps(request_.resize, source, target);
        return {source, target, all.take<double>(target * most_taps), all.take<resize_taps>(target), most_taps};
    }

    void resize()
    {
        launch<fill_axes>(where_, fill_axes::blocks(down_) + fill_axes::blocks(across_), 0,
                          {.rule = request_.resize, .axes = {down_, across_}});
        const image_view &all = request_.pictures;
        for (int64_t first = 0; first < all.images; first += resized_together_) {
            pictures_to_resize args = {.pictures = all,
                                       .range = request_.range,
                                       .rule = request_.resize,
                                       .down = down_,
                                       .across = across_,
                                       .rows = rows_,
                                       .input = request_.input,
                                       .first = first,
                                       .faulty_picture = &found_->picture};
            args.pictures.images = std::min(resized_together_, all.images - first);
            args.pictures.data = all.at(first, 0, 0, 0, 0);
            launch<resize_rows>(where_, args.pictures.images * all.height, 0, args);
            launch<resize_columns>(where_, args.pictures.images * request_.input.height, 0, args);
        }
    }

    void take(const network_step &step)
    {
        switch (step.kind) {
        case step_kind::clear_margin:
            return launch<clear_map_margin>(where_, request_.pictures.images * clear_map_margin::rows(step.to), 0,
                                            {step.to});
        case step_kind::convolve:
            return convolve_pixels(step);
        case step_kind::pool_maximum:
            return pool_pixels<largest_sample, 4>(step);
        case step_kind::pool_average:
            return pool_pixels<mean_of_samples, 2>(step);
        case step_kind::average_map:
            return pool_pixels<mean_of_samples, 1>(step);
        }
    }

    int64_t pixels_of(const feature_map &map) const { return request_.pictures.images * map.height * map.width; }

    template <class Total, int Channels>
    void pool_pixels(const network_step &step)
    {
        using kernel = pool<Total, Channels>;
        const int64_t work = pixels_of(step.to) * (step.to.channels / Channels);
        launch<kernel>(where_, divide_up(work, kernel::threads), 0, {.step = step, .work = uint32_t(work)});
    }

    // The tile that leaves the fewest channels unused; of these the widest that fills the device, else the narrowest.
    void convolve_pixels(const network_step &step)
    {
        if (step.from.channels % 4 != 0)
            return launch_tiles<convolve<4, 1, 1>>(step);
        const int64_t outputs = step.to.channels;
        const auto width = [&](int64_t tile) {
            return round_up(outputs, tile);
        };
        const int64_t least = std::min({width(32), width(64), width(96), width(128)});
        const int64_t wanted = blocks_of_a_multiprocessor * multiprocessors();
        const auto suits = [&]<class Kernel>() {
            return width(Kernel::channels) == least && Kernel::blocks(outputs, pixels_of(step.to)) >= wanted;
        };
        if (suits.template operator()<convolve<2, 4, 4>>())
            return launch_tiles<convolve<2, 4, 4>>(step);
        if (suits.template operator()<convolve<2, 3, 4>>())
            return launch_tiles<convolve<2, 3, 4>>(step);
        if (width(64) == least)
            return launch_tiles<convolve<2, 2, 4>>(step);
        launch_tiles<convolve<4, 1, 4>>(step);
    }

    template <class Kernel>
    void launch_tiles(const network_step &step)
    {
        const int64_t pixels = pixels_of(step.to);
        launch<Kernel>(where_, Kernel::blocks(step.to.channels, pixels), Kernel::shared_bytes,
                       {.step = step, .pixels = int(pixels)});
    }

    void report()
    {
        findings found{};
        float value = 0.0f;
        host_copies copies(where_); // waits, where a call failed, while both are there
        fetch(copies, &found, found_, 1, "making features of pictures");
        if (found.picture != 0)
            request_.faulty_picture = int64_t(~found.picture);
        if (found.picture != 0 || found.feature == 0)
            return;
        auto place = int64_t(~found.feature);
        int64_t output = 0;
        const int64_t pictures = request_.pictures.images;
        while (place >= pictures * request_.outputs[size_t(output)].from.channels)
            place -= pictures * request_.outputs[size_t(output++)].from.channels;
        const feature_map &from = request_.outputs[size_t(output)].from;
        const int64_t picture = place / from.channels;
        const int64_t feature = place % from.channels;
        fetch(copies, &value, from.at(picture, 0, 0) + feature, 1, "reading a feature");
        request_.fault = {output, picture, feature, double(value)};
    }

    context &where_;
    network_request &request_;
    int64_t resized_together_;
    resized_axis down_, across_;
    double *rows_;
    findings *found_;
};

} // namespace

const float *network_weights(context &where, scratch &memory, std::span<const float> weights)
{
    refuse_while_capturing(where, "copying the weights of a network");
    auto *const copy = memory.take<float>(weights.size(), "the weights of a network");
    host_copies copies(where);
    check(copies.upload(copy, weights.data(), weights.size_bytes()), "copying the weights of a network");
    check(copies.wait(), "copying the weights of a network");
    return copy;
}

void network(context &where, workspace &memory, network_request &request)
{
    refuse_while_capturing(where, "making features of pictures");
    const waiting_call call(where);
    network_run(where, memory, request).run();
}

} // namespace iqa::cuda

// SPDX-License-Identifier: MIT
// Runs a network over a group of pictures: step by step, the items of each step shared by all workers.
#include <algorithm>
#include <atomic>

#include "core/arena.hpp"
#include "core/crew.hpp"
#include "cpu/backend.hpp"
#include "cpu/isa/dispatch.hpp"
#include "cpu/network/kernels.hpp"

namespace iqa {

namespace {

constexpr int rows_of_item = 23;           // of a resized picture
constexpr int64_t pixels_of_item = 384;    // of a convolution's output
constexpr int64_t items_worth_having = 16; // of a step; fewer leave workers without one

class network_run {
public:
    network_run(context &where, workspace &memory, network_request &request)
        : request_(request),
          pixels_(kernels_for(where)),
          kernels_(network_kernels_for(where)),
          workers_(where.threads()),
          faulty_picture_(request.pictures.images)
    {
        place_in(memory.work, "rows of pictures to be resized", [&](arena &all) { place(all); });
        fill(down_, request.pictures.height, request.input.height);
        fill(across_, request.pictures.width, request.input.width);
    }

    void run(crew &team)
    {
        const image_view &pictures = request_.pictures;
        const int64_t row_items = divide_up(request_.input.height, rows_of_item);
        team.each(pictures.images * row_items, pictures.pixels() / row_items * 8, [&](int64_t item, int32_t worker) {
            resize(item / row_items, int(item % row_items) * rows_of_item, worker);
        });
        if (faulty_picture_ < pictures.images) {
            request_.faulty_picture = faulty_picture_;
            return;
        }
        const auto steps = int64_t(request_.steps.size());
        for (int64_t i = 0; i < steps; ++i) {
            if (!team.proceed(request_.done + pictures.images * i / steps, request_.total))
                return;
            take(team, request_.steps[size_t(i)]);
        }
        for (size_t i = 0; i < request_.outputs.size(); ++i)
            for (int64_t picture = 0; picture < pictures.images; ++picture)
                store(int64_t(i), picture);
    }

private:
    struct axis_table {
        double *weights;
        int64_t *first;
        int *count;
        int64_t most_taps;

        resize_axis view(int64_t outputs) const { return {weights, first, count, outputs, most_taps}; }
    };

    void place(arena &all)
    {
        const auto take_axis = [&](axis_table &axis, int64_t source, int64_t target) {
            axis.most_taps = most_resize_taps(request_.resize, source, target);
            axis.weights = all.take<double>(target * axis.most_taps);
            axis.first = all.take<int64_t>(target);
            axis.count = all.take<int>(target);
        };
        const image_view &pictures = request_.pictures;
        const feature_map &input = request_.input;
        take_axis(down_, pictures.height, input.height);
        take_axis(across_, pictures.width, input.width);
        row_samples_ = pictures.channels * input.width;
        source_rows_ = std::min<int64_t>(
            pictures.height, divide_up(pictures.height * (rows_of_item - 1), input.height) + down_.most_taps + 1);
        of_worker_ = round_up(pictures.width, 8) + round_up((source_rows_ + 1) * row_samples_, 8);
        rows_ = all.take<double>(workers_ * of_worker_);
    }

    void fill(const axis_table &axis, int64_t source, int64_t target) const
    {
        for (int64_t i = 0; i < target; ++i) {
            const resize_taps taps =
                resize_weights(request_.resize, source, target, i, axis.weights + i * axis.most_taps);
            axis.first[i] = taps.first;
            axis.count[i] = taps.count;
        }
    }

    // Some rows of a picture at the network's size.
    void resize(int64_t picture, int first_row, int32_t worker)
    {
        const image_view &pictures = request_.pictures;
        const feature_map &input = request_.input;
        const int end_row = std::min(first_row + rows_of_item, input.height);
        const int64_t first = down_.first[first_row];
        const int64_t end = down_.first[end_row - 1] + down_.count[end_row - 1];
        double *const samples = rows_ + worker * of_worker_;
        double *const across = samples + round_up(pictures.width, 8);
        double *const out = across + source_rows_ * row_samples_;
        const resize_axis axis = across_.view(input.width);
        for (int64_t row = first; row < end; ++row)
            for (int64_t channel = 0; channel < pictures.channels; ++channel) {
                pixels_.widen(pictures.type, pictures.at(picture, channel, 0, row, 0), pictures.column_stride,
                              pictures.width, samples);
                for (int64_t column = 0; column < pictures.width; ++column)
                    samples[column] = byte_sample(samples[column], request_.range.low, request_.range.high);
                kernels_.resize_row(axis, samples, across + (row - first) * row_samples_ + channel * input.width);
            }
        for (int row = first_row; row < end_row; ++row) {
            kernels_.resize_columns(down_.view(input.height), row, across + (down_.first[row] - first) * row_samples_,
                                    row_samples_, row_samples_, out);
            if (!std::all_of(out, out + row_samples_, [](double sample) { return is_finite(sample); }))
                keep_least(faulty_picture_, picture);
            for (int64_t column = 0; column < input.width; ++column) {
                float *const pixel = input.at(picture, row, column);
                for (int64_t channel = 0; channel < input.channels; ++channel)
                    pixel[channel] = network_sample(request_.resize,
                                                    out[(pictures.channels == 1 ? 0 : channel) * input.width + column]);
            }
        }
    }

    static void keep_least(std::atomic<int64_t> &least, int64_t value)
    {
        int64_t present = least;
        while (value < present && !least.compare_exchange_weak(present, value)) {
        }
    }

    void take(crew &team, const network_step &step)
    {
        switch (step.kind) {
        case step_kind::clear_margin:
            return clear_margin(team, step.to);
        case step_kind::convolve:
            return convolve(team, step);
        case step_kind::pool_maximum:
            return pool(team, step, kernels_.pool_maximum);
        case step_kind::pool_average:
        case step_kind::average_map:
            return pool(team, step, kernels_.pool_average);
        }
    }

    void clear_margin(crew &team, const feature_map &map)
    {
        const int margin = map.margin;
        const int64_t side = int64_t(margin) * map.pixel_stride;
        team.each(request_.pictures.images, int64_t(map.height) * map.width, [&](int64_t picture, int32_t) {
            for (int64_t row = -margin; row < map.height + margin; ++row) {
                if (row < 0 || row >= map.height) {
                    std::fill_n(map.at(picture, row, -margin), 2 * side + map.width * map.pixel_stride, 0.0f);
                } else {
                    std::fill_n(map.at(picture, row, -margin), side, 0.0f);
                    std::fill_n(map.at(picture, row, map.width), side, 0.0f);
                }
            }
        });
    }

    void convolve(crew &team, const network_step &step)
    {
        const feature_map &from = step.from;
        const feature_map &to = step.to;
        const window &reach = step.reach;
        const int64_t pixels = int64_t(to.height) * to.width;
        const int groups = to.channels / network_group;
        const int64_t chain = step.chain();
        const int64_t pictures = request_.pictures.images;
        const int64_t pieces = divide_up(pixels, pixels_of_item);
        const int64_t shares =
            std::clamp<int64_t>(divide_up(items_worth_having, pictures * pieces), 1, divide_up(groups, 3));
        team.each(pictures * pieces * shares, step.cost() * pixels / (pieces * shares), [&](int64_t item, int32_t) {
            const int64_t share = item % shares;
            const int64_t piece = item / shares % pieces;
            const int64_t picture = item / shares / pieces;
            const auto group = int(groups * share / shares);
            const int64_t first = pixels * piece / pieces;
            kernels_.convolve({
                .input = from.at(picture, -reach.above, -reach.left),
                .row_stride = from.row_stride,
                .down = reach.step * from.row_stride,
                .across = reach.step * from.pixel_stride,
                .window_rows = reach.rows,
                .window_run = int64_t(reach.columns) * from.channels,
                .width = to.width,
                .first = first,
                .count = pixels * (piece + 1) / pieces - first,
                .weights = step.weights + group * chain * network_group,
                .bias = step.bias + group * network_group,
                .groups = int(groups * (share + 1) / shares) - group,
                .rectify = step.rectify,
                .output = to.at(picture, 0, 0) + group * network_group,
                .output_row_stride = to.row_stride,
                .output_pixel_stride = to.pixel_stride,
            });
        });
    }

    // Windows lose what sticks out.
    void pool(crew &team, const network_step &step, void (*kernel)(const pooling_window &)) const
    {
        const feature_map &from = step.from;
        const feature_map &to = step.to;
        const window &reach = step.reach;
        const int64_t cost = int64_t(to.width) * reach.rows * reach.columns * to.channels;
        team.each(request_.pictures.images * to.height, cost, [&](int64_t item, int32_t) {
            const int64_t picture = item / to.height;
            const int64_t row = item % to.height;
            const int64_t above = row * reach.step - reach.above;
            for (int64_t column = 0; column < to.width; ++column) {
                const int64_t left = column * reach.step - reach.left;
                kernel({
                    .input = from.at(picture, std::max<int64_t>(above, 0), std::max<int64_t>(left, 0)),
                    .row_stride = from.row_stride,
                    .pixel_stride = from.pixel_stride,
                    .rows = int(samples_inside(above, reach.rows, from.height)),
                    .columns = int(samples_inside(left, reach.columns, from.width)),
                    .channels = to.channels,
                    .output = to.at(picture, row, column),
                });
            }
        });
    }

    void store(int64_t index, int64_t picture)
    {
        const feature_output &output = request_.outputs[size_t(index)];
        const float *const features = output.from.at(picture, 0, 0);
        for (int64_t i = 0; i < output.from.channels; ++i) {
            if (!is_finite(features[i]) && request_.fault.output < 0)
                request_.fault = {index, picture, i, double(features[i])};
            output.store(picture, i, features[i]);
        }
    }

    network_request &request_;
    const cpu_kernels &pixels_;
    const network_kernels &kernels_;
    int64_t workers_;
    axis_table down_{}, across_{};
    int64_t row_samples_ = 0; // of a picture's row at the network's width: channel after channel
    int64_t source_rows_ = 0; // that an item reads, at most
    int64_t of_worker_ = 0;
    double *rows_ = nullptr;
    std::atomic<int64_t> faulty_picture_;
};

} // namespace

const float *cpu_network_weights(context &, scratch &, std::span<const float> weights)
{
    return weights.data();
}

void cpu_network(context &where, workspace &memory, network_request &request)
{
    network_run run(where, memory, request);
    crew::run(where, where.threads(), [&](crew &team) { run.run(team); });
}

} // namespace iqa

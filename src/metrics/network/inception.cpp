// SPDX-License-Identifier: MIT
#include "metrics/network/inception.hpp"

#include <initializer_list>

#include "metrics/network_options.hpp"

namespace iqa {

namespace {

class builder {
public:
    constexpr inception_graph build()
    {
        at_ = add_map(inception_side, inception_side, 3, main_slot_);
        stem("Conv2d_1a_3x3", 3, 2, 0, 32);
        stem("Conv2d_2a_3x3", 3, 1, 0, 32);
        stem("Conv2d_2b_3x3", 3, 1, 1, 64);
        pool_stem(inception_layer::pool1);
        stem("Conv2d_3b_1x1", 1, 1, 0, 80);
        stem("Conv2d_4a_3x3", 3, 1, 0, 192);
        pool_stem(inception_layer::pool2);
        block_a("Mixed_5b", 32);
        block_a("Mixed_5c", 64);
        block_a("Mixed_5d", 64);
        block_b("Mixed_6a");
        block_c("Mixed_6b", 128);
        block_c("Mixed_6c", 160);
        block_c("Mixed_6d", 160);
        block_c("Mixed_6e", 192);
        mean_of(inception_layer::mixed_6e);
        block_d("Mixed_7a");
        block_e("Mixed_7b", step_kind::pool_average);
        block_e("Mixed_7c", step_kind::pool_maximum);
        mean_of(inception_layer::pool3);
        return graph_;
    }

private:
    static constexpr int first_branch = 2, second_branch = 3; // slots

    constexpr const map_shape &shape(int map) const { return graph_.maps[size_t(map)]; }

    constexpr int add_map(int height, int width, int channels, int slot)
    {
        graph_.maps[size_t(graph_.map_count)] = {height, width, channels, 0, slot};
        add_step({.kind = step_kind::clear_margin, .from = graph_.map_count, .to = graph_.map_count});
        return graph_.map_count++;
    }

    constexpr void add_step(const graph_step &step) { graph_.steps[size_t(graph_.step_count++)] = step; }

    // The map after the block that is being built, from all branches.
    constexpr void begin_block(int reduction, int channels)
    {
        const map_shape &from = shape(at_);
        main_slot_ = 1 - main_slot_;
        to_ = add_map((from.height - reduction) / (reduction != 0 ? 2 : 1) + (reduction != 0 ? 1 : 0),
                      (from.width - reduction) / (reduction != 0 ? 2 : 1) + (reduction != 0 ? 1 : 0), channels,
                      main_slot_);
        channel_ = 0;
    }
    constexpr void end_block() { at_ = to_; }

    // A convolution into a map of its own, in a slot; or else beside what the block has already.
    constexpr int convolve(const char *block, const char *branch, int from, const window &reach, int outputs,
                           int slot = -1)
    {
        map_shape &input = graph_.maps[size_t(from)];
        const int out = reach.above > reach.left ? reach.above : reach.left;
        input.margin = input.margin > out ? input.margin : out;
        int to = to_;
        int channel = channel_;
        if (slot >= 0) {
            to = add_map((input.height + 2 * reach.above - reach.rows) / reach.step + 1,
                         (input.width + 2 * reach.left - reach.columns) / reach.step + 1, outputs, slot);
            channel = 0;
        } else {
            channel_ += outputs;
        }
        graph_.shapes[size_t(graph_.shape_count)] = {block, branch, reach.rows, reach.columns, input.channels, outputs};
        add_step({.kind = step_kind::convolve,
                  .from = from,
                  .to = to,
                  .channel = channel,
                  .channels = outputs,
                  .reach = reach,
                  .convolution = graph_.shape_count});
        ++graph_.shape_count;
        return to;
    }

    static constexpr window of(int rows, int columns) { return {rows, columns, 1, rows / 2, columns / 2}; }
    static constexpr window reducing = {3, 3, 2, 0, 0};

    constexpr void stem(const char *name, int side, int step, int padding, int outputs)
    {
        main_slot_ = 1 - main_slot_;
        at_ = convolve(name, "", at_, {side, side, step, padding, padding}, outputs, main_slot_);
    }

    // Beside what the block has already.
    constexpr void pool(step_kind kind, const window &reach)
    {
        const int channels = shape(at_).channels;
        add_step({.kind = kind, .from = at_, .to = to_, .channel = channel_, .channels = channels, .reach = reach});
        channel_ += channels;
    }

    constexpr void pool_stem(inception_layer layer)
    {
        begin_block(3, shape(at_).channels);
        pool(step_kind::pool_maximum, reducing);
        end_block();
        mean_of(layer);
    }

    constexpr void mean_of(inception_layer layer)
    {
        const map_shape &from = shape(at_);
        if (from.channels != network_options::layer_widths[size_t(layer)])
            throw "a layer has another width";
        add_step({.kind = step_kind::average_map,
                  .from = at_,
                  .to = -1,
                  .channels = from.channels,
                  .reach = {from.height, from.width, 1, 0, 0},
                  .layer = layer});
    }

    // The branch that pools and then weighs the channels.
    constexpr void pooled_branch(const char *block, step_kind kind, int outputs)
    {
        const map_shape from = shape(at_);
        const int pooled = add_map(from.height, from.width, from.channels, first_branch);
        add_step({.kind = kind, .from = at_, .to = pooled, .channels = from.channels, .reach = of(3, 3)});
        convolve(block, "branch_pool", pooled, of(1, 1), outputs);
    }

    constexpr void block_a(const char *block, int pooled)
    {
        begin_block(0, 224 + pooled);
        convolve(block, "branch1x1", at_, of(1, 1), 64);
        const int narrow = convolve(block, "branch5x5_1", at_, of(1, 1), 48, first_branch);
        convolve(block, "branch5x5_2", narrow, of(5, 5), 64);
        const int first = convolve(block, "branch3x3dbl_1", at_, of(1, 1), 64, first_branch);
        const int second = convolve(block, "branch3x3dbl_2", first, of(3, 3), 96, second_branch);
        convolve(block, "branch3x3dbl_3", second, of(3, 3), 96);
        pooled_branch(block, step_kind::pool_average, pooled);
        end_block();
    }

    constexpr void block_b(const char *block)
    {
        begin_block(3, 480 + shape(at_).channels);
        convolve(block, "branch3x3", at_, reducing, 384);
        const int first = convolve(block, "branch3x3dbl_1", at_, of(1, 1), 64, first_branch);
        const int second = convolve(block, "branch3x3dbl_2", first, of(3, 3), 96, second_branch);
        convolve(block, "branch3x3dbl_3", second, reducing, 96);
        pool(step_kind::pool_maximum, reducing);
        end_block();
    }

    constexpr void block_c(const char *block, int inner)
    {
        begin_block(0, 768);
        convolve(block, "branch1x1", at_, of(1, 1), 192);
        int map = convolve(block, "branch7x7_1", at_, of(1, 1), inner, first_branch);
        map = convolve(block, "branch7x7_2", map, of(1, 7), inner, second_branch);
        convolve(block, "branch7x7_3", map, of(7, 1), 192);
        map = convolve(block, "branch7x7dbl_1", at_, of(1, 1), inner, first_branch);
        map = convolve(block, "branch7x7dbl_2", map, of(7, 1), inner, second_branch);
        map = convolve(block, "branch7x7dbl_3", map, of(1, 7), inner, first_branch);
        map = convolve(block, "branch7x7dbl_4", map, of(7, 1), inner, second_branch);
        convolve(block, "branch7x7dbl_5", map, of(1, 7), 192);
        pooled_branch(block, step_kind::pool_average, 192);
        end_block();
    }

    constexpr void block_d(const char *block)
    {
        begin_block(3, 512 + shape(at_).channels);
        int map = convolve(block, "branch3x3_1", at_, of(1, 1), 192, first_branch);
        convolve(block, "branch3x3_2", map, reducing, 320);
        map = convolve(block, "branch7x7x3_1", at_, of(1, 1), 192, first_branch);
        map = convolve(block, "branch7x7x3_2", map, of(1, 7), 192, second_branch);
        map = convolve(block, "branch7x7x3_3", map, of(7, 1), 192, first_branch);
        convolve(block, "branch7x7x3_4", map, reducing, 192);
        pool(step_kind::pool_maximum, reducing);
        end_block();
    }

    constexpr void block_e(const char *block, step_kind pooling)
    {
        begin_block(0, 2048);
        convolve(block, "branch1x1", at_, of(1, 1), 320);
        int map = convolve(block, "branch3x3_1", at_, of(1, 1), 384, first_branch);
        convolve(block, "branch3x3_2a", map, of(1, 3), 384);
        convolve(block, "branch3x3_2b", map, of(3, 1), 384);
        map = convolve(block, "branch3x3dbl_1", at_, of(1, 1), 448, first_branch);
        map = convolve(block, "branch3x3dbl_2", map, of(3, 3), 384, second_branch);
        convolve(block, "branch3x3dbl_3a", map, of(1, 3), 384);
        convolve(block, "branch3x3dbl_3b", map, of(3, 1), 384);
        pooled_branch(block, pooling, 192);
        end_block();
    }

    inception_graph graph_;
    int at_ = 0;      // the map that the next block reads
    int to_ = 0;      // the map that the current one writes
    int channel_ = 0; // the next of its channels
    int main_slot_ = 0;
};

constexpr weight_shape named(const char *block, const char *branch, const char *tensor)
{
    weight_shape weight{};
    int length = 0;
    const auto append = [&](const char *text) {
        while (*text != '\0')
            weight.name[length++] = *text++;
    };
    append(block);
    if (*branch != '\0') {
        append(".");
        append(branch);
    }
    append(".");
    append(tensor);
    return weight;
}

constexpr weight_shape with_shape(weight_shape weight, std::initializer_list<int64_t> shape)
{
    for (const int64_t extent : shape)
        weight.shape[weight.ndim++] = extent;
    return weight;
}

constexpr std::array<weight_shape, weight_count> list_weights(const inception_graph &graph)
{
    constexpr const char *names[convolution_weight::count] = {"conv.weight", "bn.weight", "bn.bias", "bn.running_mean",
                                                              "bn.running_var"};
    std::array<weight_shape, weight_count> all{};
    size_t next = 0;
    for (const convolution_shape &shape : graph.shapes)
        for (int which = 0; which < convolution_weight::count; ++which) {
            const weight_shape weight = named(shape.block, shape.branch, names[which]);
            all[next++] = which == convolution_weight::kernel
                              ? with_shape(weight, {shape.outputs, shape.inputs, shape.rows, shape.columns})
                              : with_shape(weight, {shape.outputs});
        }
    all[class_weights] = with_shape(named("fc", "", "weight"), {inception_classes, inception_width});
    all[class_bias] = with_shape(named("fc", "", "bias"), {inception_classes});
    return all;
}

constexpr inception_graph the_graph = builder().build();

} // namespace

constinit const inception_graph inception = the_graph;
constinit const std::array<weight_shape, weight_count> inception_weights = list_weights(the_graph);

} // namespace iqa

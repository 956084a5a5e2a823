// SPDX-License-Identifier: MIT
// Convolution as an implicit matrix product on a GPU: pixels of all pictures times output channels, along the chain of
// arith/network.h, which no block splits. A block computes a tile of outputs, a thread 8 pixels x 8 channels of it; a
// few steps of the chain at a time pass through shared memory, while the next ones are under way to registers.
//
// Counted for eight steps of the chain (SASS for sm_90, 128 x 128): 512 FFMA beside 32 reads of 16 bytes from shared
// memory, 5 writes there, 2 reads of global memory and a barrier; docs/reference/performance.md has what follows.
#pragma once

#include "arith/network.h"
#include "backend/network.hpp"
#include "cuda/machine/per_thread.h"

namespace iqa::cuda {

// Down x Across warps, each with 64 pixels x 32 channels. `Vector`: how many neighbouring samples are read at once, 4
// if the input's channels are a multiple of that, else 1.
template <int Down, int Across, int Vector>
struct convolve {
    struct arguments {
        network_step step;
        int pixels; // of all pictures
    };
    static constexpr int threads = 32 * Down * Across;
    static constexpr int least_resident = divide_up(384, threads); // 12 to 16 warps: nothing is spilled
    static constexpr int pixels = 64 * Down, channels = 32 * Across;
    static constexpr int steps = 8; // of the chain, between two barriers
    // Rows of a panel of samples: 4 more than pixels, so that the two quads of a pixel go to different banks.
    static constexpr int sample_stride = pixels + 4;
    static constexpr int buffer = steps * (sample_stride + channels);
    static constexpr int shared_bytes = 2 * buffer * int(sizeof(float));

    IQA_HD_MEMBER static int64_t channel_tiles(int64_t outputs) { return divide_up(outputs, channels); }
    IQA_HD_MEMBER static int64_t blocks(int64_t outputs, int64_t pixels_in_all)
    {
        return channel_tiles(outputs) * divide_up(pixels_in_all, pixels);
    }

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        const network_step &step = args.step;
        const int chain = int(step.chain());
        auto *const buffers = reinterpret_cast<float *>(block.shared());
        per_thread<Block, thread_state, threads> state;
        block.each(threads, [&](int i) {
            state[i].begin(args, tile_of(step, block.index()), unsigned(i));
            state[i].read(step, chain, 0, unsigned(i));
            state[i].write(buffers, unsigned(i));
        });
        for (int from = 0; from < chain; from += steps) {
            const float *const present = buffers + from / steps % 2 * buffer;
            float *const next = buffers + (1 - from / steps % 2) * buffer;
            const bool more = from + steps < chain;
            block.each(threads, [&](int i) {
                if (more)
                    state[i].read(step, chain, from + steps, unsigned(i));
                state[i].multiply(present, unsigned(i));
                if (more)
                    state[i].write(next, unsigned(i));
            });
        }
        block.each(threads, [&](int i) { state[i].store(args, tile_of(step, block.index()), unsigned(i)); });
    }

private:
    static constexpr int groups = channels / network_group;
    static constexpr int pieces = 4 / Vector; // of a quad of samples
    static constexpr int sample_quads = pixels * steps / 4;
    static constexpr int weight_quads = channels * steps / 4;
    static constexpr unsigned quads_of_group = network_group * steps / 4;
    static constexpr int quads_of_thread = divide_up(sample_quads, threads);
    static_assert(weight_quads <= threads);

    struct alignas(16) quad {
        float values[4];
    };

    struct tile {
        int pixel, group; // the first ones
    };
    IQA_HD_MEMBER static tile tile_of(const network_step &step, int64_t block)
    {
        const auto across = unsigned(channel_tiles(step.to.channels));
        return {int(unsigned(block) / across) * pixels, int(unsigned(block) % across) * groups};
    }

    struct pixel_position {
        int picture, row, column;

        IQA_HD_MEMBER pixel_position(int number, const feature_map &map)
            : picture(number / (map.height * map.width)),
              row(number / map.width - picture * map.height),
              column(number % map.width)
        {
        }
        IQA_HD_MEMBER void advance(const feature_map &map)
        {
            if (++column < map.width)
                return;
            column = 0;
            if (++row < map.height)
                return;
            row = 0;
            ++picture;
        }
    };

    // Samples are read by quads of neighbouring steps of the chain and stored by steps: sixteen threads write sixteen
    // pixels, and the next sixteen the other quad of the same pixels.
    IQA_HD_MEMBER static int pixel_of_quad(unsigned number) { return int(number / 32 * 16 + number % 16); }
    IQA_HD_MEMBER static int step_of_quad(unsigned thread) { return int(thread / 16 % 2 * 4); }

    // The outputs of a thread: 2 x 4 neighbouring pixels, 32 apart, and four channels of two groups.
    IQA_HD_MEMBER static int pixel_of_thread(unsigned thread, int p)
    {
        return int(thread / 32 % Down * 64 + thread % 8 * 4) + p / 4 * 32 + p % 4;
    }
    IQA_HD_MEMBER static int group_of_thread(unsigned thread, int half) { return int(thread / 32 / Down * 2) + half; }
    IQA_HD_MEMBER static int channel_of_thread(unsigned thread) { return int(thread % 32 / 8 * 4); }

    struct thread_state {
        float sums[8][8];             // [pixel][channel]
        int windows[quads_of_thread]; // where those of the pixels begin whose samples this thread reads
        int offsets[pieces];          // from a window to the samples of the next step to be read,
        int in_row[pieces];           // and how far that is into a row of the window
        int weights;                  // where those that it reads begin; negative: none
        quad next_samples[quads_of_thread];
        quad next_weights;

        IQA_HD_MEMBER void begin(const arguments &args, tile first, unsigned thread)
        {
            const network_step &step = args.step;
            IQA_UNROLL_ON_GPU
            for (int n = 0; n < quads_of_thread; ++n) {
                const int pixel = first.pixel + pixel_of_quad(thread + unsigned(n * threads));
                const pixel_position at(pixel < args.pixels ? pixel : args.pixels - 1, step.to);
                windows[n] = int(step.from.at(at.picture, at.row * step.reach.step - step.reach.above,
                                              at.column * step.reach.step - step.reach.left) -
                                 step.from.data);
            }
            IQA_UNROLL_ON_GPU
            for (int piece = 0; piece < pieces; ++piece) {
                offsets[piece] = in_row[piece] = step_of_quad(thread) + piece * Vector;
                wrap(step, piece);
            }
            const int group = first.group + int(thread / quads_of_group);
            weights = group * network_group < step.to.channels && thread < weight_quads
                          ? int(group * step.chain() * network_group) + int(thread % quads_of_group * 4)
                          : -1;
            IQA_UNROLL_ON_GPU
            for (int half = 0; half < 2; ++half) {
                const int channel =
                    (first.group + group_of_thread(thread, half)) * network_group + channel_of_thread(thread);
                const quad bias =
                    channel < step.to.channels ? *reinterpret_cast<const quad *>(step.bias + channel) : quad{};
                IQA_UNROLL_ON_GPU
                for (int p = 0; p < 8; ++p)
                    IQA_UNROLL_ON_GPU
                for (int c = 0; c < 4; ++c)
                    sums[p][half * 4 + c] = bias.values[c];
            }
        }

        // To registers. Beyond the end of the chain a product is -0, which changes no sum.
        IQA_HD_MEMBER void read(const network_step &step, int chain, int from, unsigned thread)
        {
            IQA_UNROLL_ON_GPU
            for (int n = 0; n < quads_of_thread; ++n)
                IQA_UNROLL_ON_GPU
            for (int piece = 0; piece < pieces; ++piece)
                read_piece(step, n, piece, from + step_of_quad(thread) + piece * Vector < chain);
            IQA_UNROLL_ON_GPU
            for (int piece = 0; piece < pieces; ++piece) {
                offsets[piece] += steps;
                in_row[piece] += steps;
                wrap(step, piece);
            }
            const bool inside = weights >= 0 && from + int(thread % quads_of_group / 4) < chain;
            next_weights = inside ? *reinterpret_cast<const quad *>(step.weights + weights + from * network_group)
                                  : quad{{-0.0f, -0.0f, -0.0f, -0.0f}};
        }

        // To shared memory: samples by steps, then weights by groups and steps.
        IQA_HD_MEMBER void write(float *to, unsigned thread) const
        {
            IQA_UNROLL_ON_GPU
            for (int n = 0; n < quads_of_thread; ++n) {
                const unsigned number = thread + unsigned(n * threads);
                if (sample_quads % threads != 0 && number >= sample_quads)
                    break;
                IQA_UNROLL_ON_GPU
                for (int k = 0; k < 4; ++k)
                    to[(step_of_quad(thread) + k) * sample_stride + pixel_of_quad(number)] = next_samples[n].values[k];
            }
            if (thread < weight_quads)
                *reinterpret_cast<quad *>(to + steps * sample_stride + thread * 4) = next_weights;
        }

        IQA_HD_MEMBER void multiply(const float *from, unsigned thread)
        {
            const float *const samples = from + pixel_of_thread(thread, 0);
            const float *const factors = from + steps * sample_stride +
                                         group_of_thread(thread, 0) * steps * network_group + channel_of_thread(thread);
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < steps; ++k) {
                quad x[2], w[2];
                IQA_UNROLL_ON_GPU
                for (int half = 0; half < 2; ++half) {
                    x[half] = *reinterpret_cast<const quad *>(samples + k * sample_stride + half * 32);
                    w[half] = *reinterpret_cast<const quad *>(factors + (half * steps + k) * network_group);
                }
                IQA_UNROLL_ON_GPU
                for (int p = 0; p < 8; ++p)
                    IQA_UNROLL_ON_GPU
                for (int c = 0; c < 8; ++c)
                    sums[p][c] = fused_multiply_add(w[c / 4].values[c % 4], x[p / 4].values[p % 4], sums[p][c]);
            }
        }

        IQA_HD_MEMBER void store(const arguments &args, tile corner, unsigned thread) const
        {
            const feature_map &to = args.step.to;
            IQA_UNROLL_ON_GPU
            for (int part = 0; part < 2; ++part) {
                const int first = corner.pixel + pixel_of_thread(thread, part * 4);
                pixel_position at(first, to);
                IQA_UNROLL_ON_GPU
                for (int p = 0; p < 4; ++p, at.advance(to)) {
                    if (first + p >= args.pixels)
                        return;
                    float *const pixel = to.at(at.picture, at.row, at.column);
                    IQA_UNROLL_ON_GPU
                    for (int half = 0; half < 2; ++half) {
                        const int channel =
                            (corner.group + group_of_thread(thread, half)) * network_group + channel_of_thread(thread);
                        if (channel >= to.channels)
                            continue;
                        quad result;
                        IQA_UNROLL_ON_GPU
                        for (int c = 0; c < 4; ++c) {
                            const float sum = sums[part * 4 + p][half * 4 + c];
                            result.values[c] = args.step.rectify ? rectified(sum) : sum;
                        }
                        *reinterpret_cast<quad *>(pixel + channel) = result;
                    }
                }
            }
        }

    private:
        IQA_HD_MEMBER void wrap(const network_step &step, int piece)
        {
            const int run = step.reach.columns * step.from.channels;
            while (in_row[piece] >= run) {
                in_row[piece] -= run;
                offsets[piece] += int(step.from.row_stride) - run;
            }
        }

        IQA_HD_MEMBER void read_piece(const network_step &step, int n, int piece, bool inside)
        {
            const float *const from = step.from.data + (windows[n] + offsets[piece]);
            if constexpr (Vector == 4)
                next_samples[n] = inside ? *reinterpret_cast<const quad *>(from) : quad{};
            else
                next_samples[n].values[piece] = inside ? *from : 0.0f;
        }
    };
};

} // namespace iqa::cuda

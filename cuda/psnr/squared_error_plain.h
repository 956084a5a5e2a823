// SPDX-License-Identifier: MIT
// Squared errors of contiguous rows without weights, masks and luma: reads 16 bytes of both images at a time. Both
// images need the same alignment within 16 bytes; samples before the first multiple of 16 bytes in a row, or after the
// last one, are read one by one.
//
// Bytes: both images, once. Instructions for a pair of samples in the inner loop, in the machine code for compute
// capability 9.0: 1.1 for uint8 without counting; with the extremes that spare a second look 8 for 16-bit integers, 22
// for float32, 23 for bfloat16 and float16, 56 for float64; of those of the floating-point types 10 in double. At 132
// multiprocessors of 1.75 GHz and 90 % of 4.8 TB/s that is at most half of the issue slots, most for bfloat16 and
// float16. The work of a block outside the loop comes on top: bench/cuda_slots.hpp.
#pragma once

#include <type_traits>

#include "cuda/images/samples.h"
#include "cuda/psnr/squared_error.h"

namespace iqa::cuda {

// The rows of a plane: `rows` of `length` samples, numbered over three axes from the innermost. Strides are in samples.
// Several rows have fewer than 2^32 slots together, since dividing longer numbers is slow.
struct row_order {
    int64_t length;
    int64_t rows;
    uint32_t extents[3];
    int64_t reference_strides[3], candidate_strides[3];
};

struct alignas(16) loaded_bytes {
    uint32_t words[4];
};

IQA_KERNEL uint8_t from_bits(uint32_t bits, uint8_t)
{
    return uint8_t(bits);
}

IQA_KERNEL uint16_t from_bits(uint32_t bits, uint16_t)
{
    return uint16_t(bits);
}

IQA_KERNEL int16_t from_bits(uint32_t bits, int16_t)
{
    return int16_t(bits);
}

template <class Half>
IQA_KERNEL Half from_bits(uint32_t bits, Half)
{
    return {uint16_t(bits)};
}

template <class Sample>
IQA_KERNEL Sample unpacked(const loaded_bytes &bytes, int index)
{
    constexpr int size = int(sizeof(Sample));
    const int word = index * size / 4;
    if constexpr (size == 8) {
        return double_from_bits(uint64_t(bytes.words[word]) | uint64_t(bytes.words[word + 1]) << 32);
    } else if constexpr (size == 4) {
        return float_from_bits(bytes.words[word]);
    } else {
        const uint32_t bits = bytes.words[word] >> (index * size % 4 * 8);
        return from_bits(bits, Sample{});
    }
}

// The sums of one thread, by kind of sample. `number` is the type of the extremes, which spare a second look at samples
// inside the data range.
template <class Sum>
struct integer_errors {
    using number = int32_t;
    static constexpr number beyond = INT32_MAX;
    static constexpr int limbs = 1;
    Sum sum;

    template <class Sample>
    IQA_KERNEL static number widened(Sample sample)
    {
        return sample;
    }
    IQA_KERNEL void add(number reference, number candidate, double)
    {
        const uint32_t difference = uint32_t(reference - candidate);
        sum += difference * difference; // at most 65535^2, which fits 32 bits
    }
    IQA_KERNEL void add_to(error_totals<limbs> &totals) const { totals.add(0, int64_t(sum)); }
    IQA_KERNEL bool some_nonfinite() const { return false; }
};

// sum + the dot product of the bytes of two words.
IQA_KERNEL uint32_t add_products_of_bytes(uint32_t a, uint32_t b, uint32_t sum)
{
#if defined(__CUDA_ARCH__)
    return __dp4a(a, b, sum);
#else
    for (int shift = 0; shift < 32; shift += 8)
        sum += (a >> shift & 0xff) * (b >> shift & 0xff);
    return sum;
#endif
}

// Four pairs at a time, as x^2 + y^2 - 2 x y.
struct byte_errors : integer_errors<uint32_t> {
    IQA_KERNEL void add(const loaded_bytes &reference, const loaded_bytes &candidate)
    {
        uint32_t products = 0;
        IQA_UNROLL_ON_GPU
        for (int word = 0; word < 4; ++word) {
            const uint32_t x = reference.words[word];
            const uint32_t y = candidate.words[word];
            sum = add_products_of_bytes(y, y, add_products_of_bytes(x, x, sum));
            products = add_products_of_bytes(x, y, products);
        }
        sum -= 2 * products;
    }
    using integer_errors<uint32_t>::add;
};

template <class Real, class Bits>
struct real_errors {
    using number = Real;
    static constexpr number beyond = Real(__builtin_huge_val());
    static constexpr int limbs = error_limbs;
    grid_sums<Bits> sums;

    template <class Sample>
    IQA_KERNEL static number widened(Sample sample)
    {
        return widen(sample);
    }

    IQA_KERNEL void add(number reference, number candidate, double gain)
    {
        sums.add((double(reference) - double(candidate)) * gain, 1.0);
    }
    IQA_KERNEL void add_to(error_totals<limbs> &totals) const { sums.add_to(totals); }
    IQA_KERNEL bool some_nonfinite() const { return !is_finite(double_from_bits(sums.bits_of_largest())); }
};

template <class Sample>
struct errors_of : real_errors<float, uint32_t> {
};
template <>
struct errors_of<double> : real_errors<double, uint64_t> {
};
template <>
struct errors_of<uint8_t> : byte_errors {
}; // of at most 2^16 samples
template <>
struct errors_of<uint16_t> : integer_errors<uint64_t> {
};
template <>
struct errors_of<int16_t> : integer_errors<uint64_t> {
};

// NaN changes no extreme.
IQA_KERNEL void extend(int32_t &least, int32_t &most, int32_t value)
{
    least = value < least ? value : least;
    most = value > most ? value : most;
}

IQA_KERNEL void extend(float &least, float &most, float value)
{
    least = __builtin_fminf(least, value);
    most = __builtin_fmaxf(most, value);
}

IQA_KERNEL void extend(double &least, double &most, double value)
{
    least = __builtin_fmin(least, value);
    most = __builtin_fmax(most, value);
}

template <class Sample>
struct plain_errors {
    struct arguments {
        error_task task;
        const Sample *reference, *candidate;
        int64_t reference_image_stride, candidate_image_stride;
        int64_t reference_plane_stride, candidate_plane_stride;
        row_order rows;
        int64_t slots_of_row, slots_of_tile; // a slot is 16 bytes; a tile has at most most_of_thread for each thread
    };
    static constexpr int threads = 256;
    static constexpr int samples_of_slot = 16 / int(sizeof(Sample));
    static constexpr int slots_at_once = 4; // loads in flight for each image
    static constexpr int most_of_thread = 32;

    template <class Block>
    IQA_KERNEL static void run(Block &block, const arguments &args)
    {
        sum_errors<plain_errors>(block, args);
    }

    template <class Block>
    IQA_KERNEL static void add_tile(Block &block, const arguments &args, int64_t plane, int64_t tile, double gain)
    {
        const int64_t image = plane / args.task.planes;
        const int64_t channel = plane - image * args.task.planes;
        const Sample *x = args.reference + image * args.reference_image_stride + channel * args.reference_plane_stride;
        const Sample *y = args.candidate + image * args.candidate_image_stride + channel * args.candidate_plane_stride;
        const auto sums = block.template reduce<totals_type>(threads, [&](int thread, totals_type &totals) {
            add_share(args, {x, y, tile * args.slots_of_tile, thread}, gain, totals);
        });
        block.each(1, [&](int) { add_to_accounts(args.task, plane, 0, sums); });
    }

private:
    using errors_type = errors_of<Sample>;
    using totals_type = error_totals<errors_type::limbs>;
    using number = typename errors_type::number;

    static constexpr bool adds_slots = std::is_same_v<Sample, uint8_t>;

    struct slot_adder {
        errors_type &errors;

        IQA_KERNEL void operator()(Sample reference, Sample candidate) { errors.add(reference, candidate, 1.0); }
        IQA_KERNEL void add(const loaded_bytes &reference, const loaded_bytes &candidate)
        {
            errors.add(reference, candidate);
        }
    };

    // One thread's share of a tile.
    struct thread_share {
        const Sample *reference, *candidate; // of the plane
        int64_t first;                       // slot of the tile
        int thread;
    };

    IQA_KERNEL static void add_share(const arguments &args, const thread_share &share, double gain, totals_type &totals)
    {
        const sample_bounds &bounds = args.task.bounds;
        const bool counting = args.task.counting;
        errors_type errors{};
        if constexpr (adds_slots)
            if (!counting) {
                visit<slots_at_once>(args, share, slot_adder{errors});
                return errors.add_to(totals);
            }
        number least = errors_type::beyond;
        number most = -errors_type::beyond;
        visit<slots_at_once>(args, share, [&](Sample reference, Sample candidate) {
            const number x = errors_type::widened(reference);
            const number y = errors_type::widened(candidate);
            errors.add(x, y, gain);
            if (counting) {
                extend(least, most, x);
                extend(least, most, y);
            }
        });
        errors.add_to(totals);
        const bool inside =
            double(least) >= bounds.exact.low && double(most) <= bounds.exact.high && !errors.some_nonfinite();
        if (!counting || inside)
            return;
        visit<1>(args, share, [&](Sample reference, Sample candidate) {
            totals.count(bounds, widen(reference));
            totals.count(bounds, widen(candidate));
        });
    }

    // Calls use(reference, candidate) for each pair of samples in the share, or use.add() for whole slots if it exists.
    template <int at_once, class Use>
    IQA_KERNEL static void visit(const arguments &args, const thread_share &share, Use &&use)
    {
        if (args.rows.rows == 1)
            visit_run<at_once>(args, share, use);
        else
            visit_rows(args, share, use);
    }

    template <class Use>
    IQA_KERNEL static void visit_slot(loaded_bytes reference, loaded_bytes candidate, Use &use)
    {
        if constexpr (requires { use.add(reference, candidate); }) {
            use.add(reference, candidate);
        } else {
            IQA_UNROLL_ON_GPU
            for (int i = 0; i < samples_of_slot; ++i)
                use(unpacked<Sample>(reference, i), unpacked<Sample>(candidate, i));
        }
    }

    // The number of samples between this one and the multiple of 16 bytes at or below it.
    IQA_KERNEL static int lead_of(const Sample *samples)
    {
        return int(reinterpret_cast<uintptr_t>(samples) % 16 / sizeof(Sample));
    }

    // A plane of one row. The samples before and after its whole slots belong to the first tile.
    template <int at_once, class Use>
    IQA_KERNEL static void visit_run(const arguments &args, const thread_share &share, Use &use)
    {
        const int64_t length = args.rows.length;
        const int lead = lead_of(share.reference);
        const int64_t unaligned = lead == 0 ? 0 : samples_of_slot - lead;
        const int64_t before = unaligned < length ? unaligned : length;
        const int64_t slots = (length - before) / samples_of_slot;
        if (share.first == 0 && share.thread < 2 * samples_of_slot) {
            const int64_t rest = before + slots * samples_of_slot;
            const int64_t index = share.thread < samples_of_slot ? share.thread : rest + share.thread - samples_of_slot;
            if (share.thread < samples_of_slot ? index < before : index < length)
                use(share.reference[index], share.candidate[index]);
        }
        const int64_t left = slots - share.first;
        const int count = int(left < args.slots_of_tile ? left : args.slots_of_tile);
        const auto *x = reinterpret_cast<const loaded_bytes *>(share.reference + before) + share.first;
        const auto *y = reinterpret_cast<const loaded_bytes *>(share.candidate + before) + share.first;
        int i = share.thread;
        for (; i + (at_once - 1) * threads < count; i += at_once * threads) {
            loaded_bytes loaded[2][at_once];
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < at_once; ++k) {
                loaded[0][k] = x[i + k * threads];
                loaded[1][k] = y[i + k * threads];
            }
            IQA_UNROLL_ON_GPU
            for (int k = 0; k < at_once; ++k)
                visit_slot(loaded[0][k], loaded[1][k], use);
        }
        if constexpr (at_once > 1)
            for (; i < count; i += threads)
                visit_slot(x[i], y[i], use);
    }

    // Rows with gaps between them. Slots are numbered over all rows; a row's first slot is the one it begins in.
    template <class Use>
    IQA_KERNEL static void visit_rows(const arguments &args, const thread_share &share, Use &use)
    {
        const int64_t left = args.rows.rows * args.slots_of_row - share.first;
        const int count = int(left < args.slots_of_tile ? left : args.slots_of_tile);
        for (int i = share.thread; i < count; i += threads) {
            const uint32_t slots_of_row = uint32_t(args.slots_of_row);
            const uint32_t index = uint32_t(share.first) + uint32_t(i);
            uint32_t row = index / slots_of_row;
            const int64_t slot = index - row * slots_of_row;
            const Sample *x = share.reference;
            const Sample *y = share.candidate;
            for (int axis = 0; axis < 3; ++axis) {
                const uint32_t outer = row / args.rows.extents[axis];
                x += (row - outer * args.rows.extents[axis]) * args.rows.reference_strides[axis];
                y += (row - outer * args.rows.extents[axis]) * args.rows.candidate_strides[axis];
                row = outer;
            }
            const int64_t first = slot * samples_of_slot - lead_of(x);
            const int64_t last = first + samples_of_slot;
            if (first >= 0 && last <= args.rows.length) {
                visit_slot(*reinterpret_cast<const loaded_bytes *>(x + first),
                           *reinterpret_cast<const loaded_bytes *>(y + first), use);
                continue;
            }
            for (int64_t at = first < 0 ? 0 : first; at < last && at < args.rows.length; ++at)
                use(x[at], y[at]);
        }
    }
};

} // namespace iqa::cuda

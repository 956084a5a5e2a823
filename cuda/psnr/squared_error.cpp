// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>

#include "core/arena.hpp"
#include "cuda/backend.hpp"
#include "cuda/images/axes.hpp"
#include "cuda/images/bounds.hpp"
#include "cuda/machine/grid.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/psnr/squared_error_general.h"
#include "cuda/psnr/squared_error_plain.h"

namespace iqa::cuda {

namespace {

// Keeps any GPU of today busy, with little imbalance at the end.
constexpr int64_t blocks_wanted = 1024;

class batch_of_errors {
public:
    batch_of_errors(context &where, workspace &memory, const pair_sums_request &request, const term_sums &term)
        : where_(where), memory_(memory), source_(request.source)
    {
        const weighted_images &source = request.source;
        const element_type type = source.images.reference.type;
        const int64_t planes = request.by_channel ? source.channels() : 1;
        channels_ = source.channels() / planes;
        task_.images = source.images.reference.images;
        task_.planes = planes;
        task_.samples = channels_ * source.images.reference.pixels();
        task_.bounds = bounds_of(request.range);
        task_.counting = !covers(request.range, type);
        task_.weighing = source.weights.data != nullptr || source.masks();
        task_.integers = is_integer(type) && source.luma == nullptr;
        task_.term = term.term;
        task_.usual_exponent =
            task_.integers ? 0 : usual_error_exponent(term.term, request.range.high - request.range.low);
        task_.report = request.report;
        task_.sums = term.sums;
        task_.weights = request.weights;
        task_.counts = request.counts;
        task_.overflow = request.overflow;
        task_.extremes = term.extremes;
        place_accounts();
    }

    void run()
    {
        with_sample_type(source_.images.reference.type, [&]<class Sample>(Sample) {
            if (task_.term != error_term::square || !source_.is_plain() || !run_plain<Sample>())
                run_placed<Sample>();
        });
    }

private:
    void place_accounts()
    {
        place_in(memory_.zeros, "the sums of blocks", [&](arena &zeros) {
            task_.plane_accounts = zeros.take<plane_account>(task_.images * task_.planes);
            task_.image_accounts = zeros.take<image_account>(task_.images);
            task_.batch = zeros.take<batch_account>(1);
        });
        if (!task_.integers)
            task_.second_exponents = memory_.work.take<int32_t>(size_t(task_.images), "the scales of images");
    }

    template <class Kernel>
    void launch_task(typename Kernel::arguments &args)
    {
        const int64_t tiles = task_.images * task_.planes * task_.tiles_of_plane;
        args.task = task_;
        launch<Kernel>(where_, std::min<int64_t>(tiles, INT32_MAX), 0, args);
        if (task_.integers)
            return;
        args.task.again = true;
        args.task.counting = false;
        launch<Kernel>(where_, std::min(tiles, blocks_wanted), 0, args);
    }

    // Returns false if the samples lie too irregularly for plain_errors.
    template <class Sample>
    bool run_plain()
    {
        // With such a range scaled differences of floats would be subnormal, whose high half of bits says too little.
        constexpr int least_exponent = -870;
        if (sizeof(Sample) < sizeof(double) && task_.usual_exponent < least_exponent)
            return false;
        using kernel = plain_errors<Sample>;
        const image_view &x = source_.images.reference;
        const image_view &y = source_.images.candidate;
        auto axes = axes_of(x, channels_, std::array{places_of(x, 1), places_of(y, 1)}); // steps in samples
        if (axes[0].extent == 1)
            axes[0].steps[0] = axes[0].steps[1] = 1;
        const auto apart = [](int64_t a, int64_t b) {
            return (a - b) % kernel::samples_of_slot != 0;
        };
        bool fits = axes[0].steps[0] == 1 && axes[0].steps[1] == 1 &&
                    (reinterpret_cast<uintptr_t>(x.data) - reinterpret_cast<uintptr_t>(y.data)) % 16 == 0 &&
                    !apart(x.image_stride, y.image_stride) && !apart(x.channel_stride, y.channel_stride);
        for (size_t i = 1; i < axes.size(); ++i)
            fits = fits && !apart(axes[i].steps[0], axes[i].steps[1]);
        if (!fits)
            return false;
        typename kernel::arguments args{};
        args.reference = reinterpret_cast<const Sample *>(x.data);
        args.candidate = reinterpret_cast<const Sample *>(y.data);
        args.reference_image_stride = x.image_stride;
        args.candidate_image_stride = y.image_stride;
        args.reference_plane_stride = x.channel_stride;
        args.candidate_plane_stride = y.channel_stride;
        args.rows.length = axes[0].extent;
        args.rows.rows = 1;
        for (size_t i = 1; i < axes.size(); ++i) {
            args.rows.rows *= axes[i].extent;
            args.rows.extents[i - 1] = uint32_t(axes[i].extent);
            args.rows.reference_strides[i - 1] = axes[i].steps[0];
            args.rows.candidate_strides[i - 1] = axes[i].steps[1];
        }
        // One slot more than the samples need, since rows need not begin at a multiple of 16 bytes.
        args.slots_of_row = divide_up(args.rows.length, kernel::samples_of_slot) + 1;
        const int64_t slots = args.rows.rows * args.slots_of_row;
        if (args.rows.rows != 1 && slots > UINT32_MAX)
            return false;
        const int64_t slots_of_batch = task_.images * task_.planes * slots;
        const int64_t slots_of_thread = divide_up(slots_of_batch, blocks_wanted * kernel::threads);
        args.slots_of_tile = kernel::threads;
        if (slots_of_thread > 1) // a multiple of the slots that are loaded at once
            args.slots_of_tile *= std::min<int64_t>(
                divide_up(slots_of_thread, kernel::slots_at_once) * kernel::slots_at_once, kernel::most_of_thread);
        task_.tiles_of_plane = divide_up(slots, args.slots_of_tile);
        launch_task<kernel>(args);
        return true;
    }

    template <class Sample>
    void run_placed()
    {
        using kernel = placed_errors<Sample>;
        typename kernel::arguments args{};
        args.source = in_one_piece(source_);
        args.order = order_of(source_.images.reference, channels_, places_of(source_.images, source_.weights));
        const int64_t samples = task_.images * task_.planes * task_.samples;
        args.samples_of_tile = kernel::threads * items_of_thread(samples, kernel::threads, kernel::most_of_thread);
        task_.tiles_of_plane = divide_up(task_.samples, args.samples_of_tile);
        launch_task<kernel>(args);
    }

    context &where_;
    workspace &memory_;
    const weighted_images &source_;
    int64_t channels_; // of a plane
    error_task task_{};
};

} // namespace

void sums_of_pairs(context &where, workspace &memory, const pair_sums_request &request)
{
    for (const term_sums &term : request.terms)
        batch_of_errors(where, memory, request, term).run();
}

} // namespace iqa::cuda

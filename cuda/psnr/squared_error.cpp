// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>

#include "core/arena.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"
#include "cuda/psnr/squared_error_general.h"
#include "cuda/psnr/squared_error_plain.h"

namespace iqa::cuda {

namespace {

// So many blocks keep any GPU of today busy; what is left over at the end is small.
constexpr int64_t blocks_wanted = 1024;

struct axis {
    int64_t extent, reference_stride, candidate_stride;
};

// The axes of a plane, from the innermost in memory; those that continue each other are one.
std::array<axis, 4> axes_of(const image_view &x, const image_view &y, int64_t channels)
{
    std::array<axis, 4> axes = {{{channels, x.channel_stride, y.channel_stride},
                                 {x.depth, x.slice_stride, y.slice_stride},
                                 {x.height, x.row_stride, y.row_stride},
                                 {x.width, x.column_stride, y.column_stride}}};
    for (axis &own : axes)
        if (own.extent == 1)
            own = {1, INT64_MAX, INT64_MAX};
    std::sort(axes.begin(), axes.end(),
              [](const axis &a, const axis &b) { return std::abs(a.reference_stride) < std::abs(b.reference_stride); });
    size_t last = 0;
    for (size_t i = 1; i < axes.size(); ++i) {
        if (axes[i].extent == 1)
            continue;
        axis &inner = axes[last];
        if (axes[i].reference_stride == inner.extent * inner.reference_stride &&
            axes[i].candidate_stride == inner.extent * inner.candidate_stride)
            inner.extent *= axes[i].extent;
        else
            axes[++last] = axes[i];
    }
    std::fill(axes.begin() + ptrdiff_t(last) + 1, axes.end(), axis{1, 0, 0});
    if (axes[0].extent == 1)
        axes[0] = {1, 1, 1};
    return axes;
}

class batch_of_errors {
public:
    batch_of_errors(context &where, workspace &memory, const pair_sums_request &request)
        : where_(where), memory_(memory), source_(in_one_piece(request.source)), plain_(request.source.is_plain())
    {
        const weighted_images &source = request.source;
        const element_type type = source.images.reference.type;
        const int64_t planes = request.by_channel ? source.channels() : 1;
        channels_ = source.channels() / planes;
        course_.images = source.images.reference.images;
        course_.planes = planes;
        course_.samples = channels_ * source.images.reference.pixels();
        course_.range = request.range;
        course_.counting = !covers(request.range, type);
        course_.weighing = source.weights.data != nullptr || source_.mask_nonfinite;
        course_.integers = is_integer(type) && !source_.of_luma;
        course_.term = request.term;
        course_.usual_exponent =
            course_.integers ? 0 : usual_error_exponent(request.term, request.range.high - request.range.low);
        course_.report = request.report;
        course_.sums = request.sums;
        course_.weights = request.weights;
        course_.counts = request.counts;
        course_.overflow = request.overflow;
        course_.extremes = request.extremes;
        place_accounts();
    }

    void run()
    {
        with_sample_type(source_.reference.type, [&]<class Sample>(Sample) {
            if (course_.term != error_term::square || !plain_ || !run_plain<Sample>())
                run_placed<Sample>();
        });
    }

private:
    void place_accounts()
    {
        place_in(memory_.zeros, "the sums of blocks", [&](arena &zeros) {
            course_.plane_accounts = zeros.take<plane_account>(course_.images * course_.planes);
            course_.image_accounts = zeros.take<image_account>(course_.images);
            course_.batch = zeros.take<batch_account>(1);
        });
        if (!course_.integers)
            course_.own_exponents = memory_.work.take<int32_t>(size_t(course_.images), "the scales of images");
    }

    template <class Kernel>
    void launch_course(typename Kernel::arguments &args)
    {
        const int64_t tiles = course_.images * course_.planes * course_.tiles_of_plane;
        args.course = course_;
        launch<Kernel>(where_, std::min<int64_t>(tiles, INT32_MAX), 0, args);
        if (course_.integers)
            return;
        args.course.again = true;
        args.course.counting = false;
        launch<Kernel>(where_, std::min(tiles, blocks_wanted), 0, args);
    }

    // False where the samples do not lie as that needs them to.
    template <class Sample>
    bool run_plain()
    {
        // Differences of floats would be subnormal in units of such a range; the largest is kept too roughly for that.
        constexpr int least_exponent = -870;
        if (sizeof(Sample) < sizeof(double) && course_.usual_exponent < least_exponent)
            return false;
        using kernel = plain_errors<Sample>;
        const image_view &x = source_.reference;
        const image_view &y = source_.candidate;
        const auto axes = axes_of(x, y, channels_);
        const auto apart = [](int64_t a, int64_t b) {
            return (a - b) % kernel::samples_of_slot != 0;
        };
        bool fits = axes[0].reference_stride == 1 && axes[0].candidate_stride == 1 &&
                    (reinterpret_cast<uintptr_t>(x.data) - reinterpret_cast<uintptr_t>(y.data)) % 16 == 0 &&
                    !apart(x.image_stride, y.image_stride) && !apart(x.channel_stride, y.channel_stride);
        for (size_t i = 1; i < axes.size(); ++i)
            fits = fits && !apart(axes[i].reference_stride, axes[i].candidate_stride);
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
            args.rows.reference_strides[i - 1] = axes[i].reference_stride;
            args.rows.candidate_strides[i - 1] = axes[i].candidate_stride;
        }
        // One slot more than the samples need: rows begin anywhere between two places of whole 16 bytes.
        args.slots_of_row = divide_up(args.rows.length, kernel::samples_of_slot) + 1;
        const int64_t slots = args.rows.rows * args.slots_of_row;
        if (args.rows.rows != 1 && slots > UINT32_MAX)
            return false;
        const int64_t all = course_.images * course_.planes * slots;
        const int64_t of_thread = divide_up(all, blocks_wanted * kernel::threads);
        args.slots_of_tile = kernel::threads;
        if (of_thread > 1) // then as many as are loaded at once
            args.slots_of_tile *= std::min<int64_t>(divide_up(of_thread, kernel::slots_at_once) * kernel::slots_at_once,
                                                    kernel::most_of_thread);
        course_.tiles_of_plane = divide_up(slots, args.slots_of_tile);
        launch_course<kernel>(args);
        return true;
    }

    template <class Sample>
    void run_placed()
    {
        using kernel = placed_errors<Sample>;
        typename kernel::arguments args{};
        args.source = source_;
        args.order = order_of(source_.reference, channels_);
        const int64_t all = course_.images * course_.planes * course_.samples;
        args.samples_of_tile = kernel::threads * std::clamp(divide_up(all, blocks_wanted * kernel::threads), int64_t(1),
                                                            int64_t(kernel::most_of_thread));
        course_.tiles_of_plane = divide_up(course_.samples, args.samples_of_tile);
        launch_course<kernel>(args);
    }

    context &where_;
    workspace &memory_;
    pixel_source source_;
    bool plain_;
    int64_t channels_; // of a plane
    error_course course_{};
};

} // namespace

void sums_of_pairs(context &where, workspace &memory, pair_sums_request &request)
{
    batch_of_errors(where, memory, request).run();
}

} // namespace iqa::cuda

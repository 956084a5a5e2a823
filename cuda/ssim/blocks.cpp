// SPDX-License-Identifier: MIT
#include "cuda/ssim/blocks.h"

#include "core/arena.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/launch.hpp"

namespace iqa::cuda {

namespace {

template <class Sample>
void measure_blocks(context &where, workspace &memory, ssim_blocks_request &request, bool counting)
{
    using kernel = ssim_of_blocks<Sample>;
    const image_view &shape = request.images.reference;
    typename kernel::arguments args{};
    args.images = request.images;
    args.constants = request.constants;
    args.rows = blocks_along(shape.height);
    args.columns = blocks_along(shape.width);
    args.down = divide_up(args.rows, kernel::tile_rows);
    args.across = divide_up(args.columns, kernel::tile_columns);
    place_in(memory.zeros, "the sums of blocks", [&](arena &zeros) {
        args.totals = zeros.take<wide_sum>(args.planes());
        args.arrivals = zeros.take<uint32_t>(1);
    });
    args.sums = request.sums;
    args.counts = counting ? nullptr : request.counts;
    launch<kernel>(where, args.tiles(), kernel::shared_bytes, args);
}

} // namespace

void ssim_blocks(context &where, workspace &memory, ssim_blocks_request &request)
{
    const element_type type = request.images.reference.type;
    const bool counting = !covers(request.range, type);
    if (counting) {
        count_request counts{request.images, {}, request.range, false, request.counts, {}};
        count(where, counts);
    }
    if (type == element_type::uint8)
        measure_blocks<uint8_t>(where, memory, request, counting);
    else
        measure_blocks<uint16_t>(where, memory, request, counting);
}

} // namespace iqa::cuda

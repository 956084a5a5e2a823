// SPDX-License-Identifier: MIT
// KID of tables on a device: the host draws the rows of subsets, and makes values of sums.
#include "core/samples.hpp"
#include "metrics/features/device_call.hpp"
#include "metrics/features/kid_estimate.hpp"

namespace iqa {

namespace {

struct drawing {
    context &where;
    kid_estimate &estimate;

    void draw(int64_t subset, keyed_row *const (&rows)[2])
    {
        const int64_t all = estimate.set(0).view.rows + estimate.set(1).view.rows;
        crew::run(where, workers_for(where, 2, all), [&](crew &team) { estimate.draw(team, subset); });
        for (int i = 0; i < 2; ++i)
            std::copy_n(estimate.set(i).chosen, estimate.set(i).count, rows[i]);
    }
};

} // namespace

mean_and_deviation kid_on_device(context &where, const backend &device, const iqa_tensor (&tensors)[2],
                                 kid_estimate &estimate)
{
    const int32_t device_id = tensors[0].device_id;
    device_call call(where, device, device_id);
    for (int i = 0; i < 2; ++i)
        call.check_place(kid_set_names[i], tensors[i]);
    double largest[2];
    int64_t nonfinite_rows[2];
    for (int i = 0; i < 2; ++i) {
        const row_squares found = device.largest_square(where, device_id, call.memory(), estimate.set(i).view);
        largest[i] = found.largest;
        nonfinite_rows[i] = found.nonfinite_row;
    }
    if (!estimate.choose_unit(largest))
        for (int i = 0; i < 2; ++i) {
            if (nonfinite_rows[i] >= 0)
                check_finite(call.fetch_row(estimate.set(i).view, nonfinite_rows[i]), kid_set_names[i],
                             nonfinite_rows[i]);
            estimate.check_bound(i);
        }
    drawing receiver{where, estimate};
    kernel_sums_request request{};
    for (int i = 0; i < 2; ++i)
        request.sets[i] = {estimate.set(i).view, nullptr, estimate.set(i).count};
    request.estimates = estimate.count();
    request.kernel = estimate.kernel();
    request.receiver = &receiver;
    if (estimate.has_subsets())
        request.draw = [](void *to, int64_t subset, keyed_row *const(&rows)[2]) {
            static_cast<drawing *>(to)->draw(subset, rows);
        };
    request.done = [](void *to, int64_t index, const pair_sums(&sums)[kinds_of_pairs]) {
        static_cast<drawing *>(to)->estimate.take(index, sums);
    };
    device.kernel_sums(where, device_id, call.memory(), request);
    return estimate.result();
}

} // namespace iqa

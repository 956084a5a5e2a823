// SPDX-License-Identifier: MIT
#include "metrics/features/distance.hpp"

namespace iqa {

namespace {

// -1, 1: the first or the second covariance has the smaller element where they first differ; 0: they are equal.
int compare(const covariance_view (&sets)[2])
{
    const int64_t order = sets[0].order();
    for (int64_t j = 0; j < order; ++j)
        for (int64_t i = j; i < order; ++i) {
            const double left = sets[0].at(i, j);
            const double right = sets[1].at(i, j);
            if (left != right)
                return left < right ? -1 : 1;
        }
    return 0;
}

} // namespace

frechet_terms frechet_distance(context &where, const device_place &place, double mean_term,
                               const covariance_view (&sets)[2])
{
    frechet_terms parts{};
    parts.mean_term = mean_term;
    for (int side = 0; side < 2; ++side)
        for (int64_t i = 0; i < sets[side].order(); ++i)
            parts.traces[side] += sets[side].at(i, i);

    // The order does not depend on which set is the reference.
    const int order_of_sides = compare(sets);
    const int sides[2] = {order_of_sides <= 0 ? 0 : 1, order_of_sides <= 0 ? 1 : 0};
    trace_request request{.sets = {sets[sides[0]], sets[sides[1]]},
                          .equal = order_of_sides == 0,
                          .norm = 0.0,
                          .ranks = {},
                          .least_pivots = {}};
    place.functions->trace(where, place.id, *place.memory, request);
    for (int i = 0; i < 2; ++i) {
        parts.ranks[sides[i]] = request.ranks[i];
        parts.least_pivots[sides[i]] = request.least_pivots[i];
    }
    // (S S)^(1/2) is S, and equal sets must be exactly 0 apart.
    parts.trace_term = request.equal ? parts.traces[0] : request.norm;

    parts.raw = parts.mean_term + ((parts.traces[0] + parts.traces[1]) - 2.0 * parts.trace_term);
    parts.value = parts.raw > 0.0 ? parts.raw : 0.0;
    return parts;
}

} // namespace iqa

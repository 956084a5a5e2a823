// SPDX-License-Identifier: MIT
// Precision, recall, density and coverage of two sets of features. Checks and faults.
#include "values/prdc.hpp"
#include "core/options.hpp"
#include "metrics/features/two_tables.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

void check_rows(const iqa_prdc_options &options, const table_view &table, const char *name)
{
    check_most_rows(table, name);
    if (table.rows <= options.k)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows; more than k, ", options.k,
             ", are needed");
}

// Throws if a set has numbers that are not finite, or too large.
void check_squares(device_call &call, const neighbours_request &request)
{
    for (int i = 0; i < 2; ++i) {
        check_finite(call, request.sets[i].view, request.squares[i], set_names[i]);
        if (!is_finite(request.squares[i].largest))
            fail(IQA_ERROR_NUMERIC, set_names[i],
                 " has a row whose sum of squares overflows; divide all features by a "
                 "power of 2, which changes no result");
    }
}

// Throws if rounding decides about too many rows of a set.
void check_rounding(const neighbours_request &request, uint64_t *signatures)
{
    for (int i = 0; i < 2; ++i) {
        const int64_t rows = request.sets[i].count;
        const int64_t blurred =
            count_blurred({request.measures[i], size_t(rows)}, request.radii[i], request.k, signatures);
        if (blurred * blurred_rows_of_one > rows)
            fail(IQA_ERROR_NUMERIC, "the ", set_names[i], " set has ", blurred, " of ", rows,
                 " rows that differ from their neighbours by too little for multiples of 2^", -request.fraction_bits(),
                 ", to which the longest row of both sets leads; subtract what all rows have in common, or leave out "
                 "rows that are far longer than all others");
    }
}

prdc_values_array values_of(const neighbours_request &request)
{
    const ball_counts &counts = request.counts;
    const auto references = double(request.sets[0].count);
    const auto candidates = double(request.sets[1].count);
    return {double(counts.precise) / candidates,
            double(counts.recalled) / references,
            double(counts.pairs) / (double(request.k) * candidates),
            double(counts.covered) / references,
            double(counts.precise),
            double(counts.recalled),
            double(counts.covered),
            double(counts.pairs)};
}

} // namespace

prdc_values_array measure_prdc(context &where, const iqa_prdc_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate)
{
    prdc_option_table.check(options);
    const two_tables tables = view_two_tables(reference, candidate);
    for (int i = 0; i < 2; ++i)
        check_rows(options, tables.views[i], set_names[i]);
    device_call call(where, *tables.device, tables.device_id);
    check_places(call, reference, candidate);

    neighbours_request request{
        .sets = {{tables.views[0], nullptr, tables.views[0].rows}, {tables.views[1], nullptr, tables.views[1].rows}},
        .k = options.k,
        .closed = options.ball == IQA_PRDC_CLOSED,
        .squares = {},
        .measures = {},
        .radii = {},
        .counts = {},
    };
    const auto rows = size_t(request.sets[0].count + request.sets[1].count);
    scratch measures(where);
    scratch radii(where);
    request.measures[0] = measures.take<row_measures>(rows, "what is known of each row");
    request.measures[1] = request.measures[0] + request.sets[0].count;
    request.radii[0] = radii.take<double>(rows, "the radius of each row");
    request.radii[1] = request.radii[0] + request.sets[0].count;
    call.run(&backend::neighbours, request);
    check_squares(call, request);
    scratch signatures(where);
    check_rounding(request, signatures.take<uint64_t>(rows, "the signatures of rows"));
    return values_of(request);
}

} // namespace iqa

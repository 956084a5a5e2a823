// SPDX-License-Identifier: MIT
// KID: means of a polynomial kernel over pairs of rows. Checks and faults.
#include "values/kid.hpp"
#include "core/options.hpp"
#include "metrics/features/two_tables.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

void check(const iqa_kid_options &options)
{
    kid_option_table.check(options);
    check_reserved(options);
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (options.subsets > 0 && options.subset_size < least)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subset_size is ", options.subset_size, "; expected ", least, " or more");
}

void check_rows(const iqa_kid_options &options, const table_view &table, const char *name)
{
    check_most_rows(table, name);
    if (options.subsets > 0 && table.rows < options.subset_size)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows, fewer than subset_size, ",
             options.subset_size, "; lower it, or set subsets to 0 for all rows");
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (table.rows < least)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows; at least ", least,
             least == 1 ? " is" : " are", " needed");
}

// Throws if a set has numbers that are not finite, or too large.
void check_squares(device_call &call, const kernel_means_request &request)
{
    for (int i = 0; i < 2; ++i) {
        const row_squares &found = request.squares[i];
        check_finite(call, request.sets[i].view, found, set_names[i]);
        const double bound = kernel_value(request.kernel, found.largest);
        if (!(bound <= largest_kernel_value))
            fail(IQA_ERROR_NUMERIC, set_names[i], " has a row whose kernel value with itself is ", bound,
                 "; expected at most ", largest_kernel_value);
    }
}

} // namespace

mean_and_deviation measure_kid(context &where, const iqa_kid_options &options, const iqa_tensor &reference,
                               const iqa_tensor &candidate)
{
    check(options);
    const two_tables tables = view_two_tables(reference, candidate);
    for (int i = 0; i < 2; ++i)
        check_rows(options, tables.views[i], set_names[i]);
    device_call call(where, *tables.device, tables.device_id);
    check_places(call, reference, candidate);

    const bool draws = options.subsets > 0;
    const size_t estimates = draws ? size_t(options.subsets) : 1;
    const double gamma = options.gamma == IQA_KID_GAMMA_AUTO ? 1.0 / double(tables.views[0].columns) : options.gamma;
    scratch memory(where);
    const bool by_content = draws && options.draw_by == IQA_DRAW_BY_CONTENT;
    auto *const values = memory.take<double>(estimates, "the values of subsets");
    scratch of_rows(where);
    uint64_t *numbers[2] = {};
    if (by_content) {
        const auto first = size_t(tables.views[0].rows);
        numbers[0] = of_rows.take<uint64_t>(first + size_t(tables.views[1].rows), "the numbers of rows");
        numbers[1] = numbers[0] + first;
        for (int i = 0; i < 2; ++i)
            call.number_rows(tables.views[i], numbers[i]);
    }
    kernel_means_request request{
        .sets = {{tables.views[0], nullptr, draws ? options.subset_size : tables.views[0].rows},
                 {tables.views[1], nullptr, draws ? options.subset_size : tables.views[1].rows}},
        .draws = draws,
        .seed = options.seed,
        .numbers = {numbers[0], numbers[1]},
        .estimates = int64_t(estimates),
        .kernel = {gamma, options.coef0, options.degree, 1.0, false},
        .biased = options.estimator == IQA_KID_BIASED,
        .squares = {},
        .values = values,
    };
    call.run(&backend::kernel_means, request);
    check_squares(call, request);
    return mean_and_deviation_of({request.values, estimates});
}

} // namespace iqa

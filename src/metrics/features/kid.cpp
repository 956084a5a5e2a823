// SPDX-License-Identifier: MIT
// KID: means of a polynomial kernel over pairs of rows. Checks and faults.
#include "values/kid.hpp"
#include "core/options.hpp"
#include "metrics/features/device_call.hpp"
#include "metrics/metrics.hpp"

namespace iqa {

namespace {

constexpr int64_t most_rows = int64_t(1) << 31;

constexpr const char *set_names[2] = {"reference", "candidate"};

void check(const iqa_kid_options &options)
{
    kid_option_table.check(options);
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (options.subsets > 0 && options.subset_size < least)
        fail(IQA_ERROR_INVALID_ARGUMENT, "subset_size is ", options.subset_size, "; expected ", least, " or more");
}

void check_rows(const iqa_kid_options &options, const table_view &table, const char *name)
{
    if (table.rows > most_rows)
        fail(IQA_ERROR_SHAPE, name, " has ", table.rows, " rows; expected at most ", most_rows);
    if (options.subsets > 0 && table.rows < options.subset_size)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows, fewer than subset_size, ",
             options.subset_size, "; lower it, or set subsets to 0 for all rows");
    const int64_t least = options.estimator == IQA_KID_BIASED ? 1 : 2;
    if (table.rows < least)
        fail(IQA_ERROR_NO_DATA, "the ", name, " set has ", table.rows, " rows; at least ", least,
             least == 1 ? " is" : " are", " needed");
}

// The backend of both tables.
const backend &backend_of_tables(const iqa_tensor &reference, const iqa_tensor &candidate)
{
    const backend &device = backend_of(reference, set_names[0]);
    const bool same = &backend_of(candidate, set_names[1]) == &device;
    if (!same || (device.open != nullptr && reference.device_id != candidate.device_id))
        fail(IQA_ERROR_DEVICE, "candidate is on device ", candidate.device_type, ":", candidate.device_id,
             " but reference is on ", reference.device_type, ":", reference.device_id);
    return device;
}

// Throws if a set has numbers that are not finite, or too large.
void check_squares(device_call &call, const kernel_means_request &request)
{
    for (int i = 0; i < 2; ++i) {
        const row_squares &found = request.squares[i];
        if (found.nonfinite_row >= 0)
            check_finite(call.fetch_row(request.sets[i].view, found.nonfinite_row), set_names[i], found.nonfinite_row);
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
    const backend &device = backend_of_tables(reference, candidate);
    const table_view first = view_table(reference, set_names[0], any_columns);
    const table_view tables[2] = {first, view_table(candidate, set_names[1], first.columns)};
    for (int i = 0; i < 2; ++i)
        check_rows(options, tables[i], set_names[i]);
    device_call call(where, device, reference.device_id);
    call.check_place(set_names[0], reference);
    call.check_place(set_names[1], candidate);

    const bool draws = options.subsets > 0;
    const size_t estimates = draws ? size_t(options.subsets) : 1;
    const double gamma = options.gamma == IQA_KID_GAMMA_AUTO ? 1.0 / double(first.columns) : options.gamma;
    scratch memory(where);
    kernel_means_request request{
        .sets = {{tables[0], nullptr, draws ? options.subset_size : tables[0].rows},
                 {tables[1], nullptr, draws ? options.subset_size : tables[1].rows}},
        .draws = draws,
        .seed = options.seed,
        .estimates = int64_t(estimates),
        .kernel = {gamma, options.coef0, options.degree, 1.0, false},
        .biased = options.estimator == IQA_KID_BIASED,
        .squares = {},
        .values = memory.take<double>(estimates, "the values of subsets"),
    };
    call.run(&backend::kernel_means, request);
    check_squares(call, request);
    return mean_and_deviation_of({request.values, estimates});
}

} // namespace iqa

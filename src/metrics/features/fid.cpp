// SPDX-License-Identifier: MIT
#include "metrics/features/fid.hpp"

#include <algorithm>

#include "core/options.hpp"
#include "metrics/features/rounding.hpp"
#include "metrics/metrics.hpp"
#include "metrics/network_options.hpp"

namespace iqa {

namespace {

// Below this order the CPU takes less time than launches alone.
constexpr int32_t order_worth_a_device = 256;

constexpr const char *side_names[2] = {"reference", "candidate"};

template <size_t count>
const char *word_for(const option_word (&words)[count], int32_t value)
{
    return words[size_t(value)].name; // in the order of their constants, and checked
}

// Where features come from.
text origin_of(const iqa_fid_options &options)
{
    text out;
    if (options.weights == 0)
        return out << "a network that is not stated";
    char digits[17] = "0000000000000000";
    for (int i = 0; i < 16; ++i)
        digits[i] = "0123456789abcdef"[options.weights >> (60 - 4 * i) & 15];
    return out << "weights " << digits << ", layer " << word_for(network_options::layer_words, options.layer)
               << ", resize " << word_for(network_options::resize_words, options.resize);
}

void check_origin(const iqa_fid_options &options)
{
    if (options.weights == 0 && (options.layer != 0 || options.resize != 0))
        fail(IQA_ERROR_INVALID_ARGUMENT, "weights is 0, not stated, but layer is ", options.layer, " and resize is ",
             options.resize, "; expected 0, or the digest of a network");
    const int32_t width = network_options::layer_widths[options.layer];
    if (options.weights != 0 && width != options.features)
        fail(IQA_ERROR_INVALID_ARGUMENT, "features is ", options.features, ", but layer is ",
             word_for(network_options::layer_words, options.layer), ", which has ", width);
}

} // namespace

fid_metric::fid_metric(context &owner, const iqa_fid_options &options)
    : iqa_metric(owner, metric_kind::fid, {}, {}, {}),
      options_(options),
      lanes_memory_(owner),
      memory_(owner, owner),
      place_(place_on_cpu(owner))
{
    place_options(fid_option_table.write(options, option_bytes_));
    const int features = options.features;
    const int pairs_of_words = features * (features + 1) / 2 + 2 * features; // products and rests
    const int64_t of_side = moment_lanes::count(features);
    for (int index = 0; index < 2; ++index) {
        const int first = index * int(of_side) + 1; // behind the number of rows
        fields_[size_t(2 * index)] = {first, {1, 0}, features};
        fields_[size_t(2 * index + 1)] = {first + features, {2, 0}, pairs_of_words};
    }
    const size_t count = size_t(2 * of_side);
    lanes_ = lanes_memory_.take<int64_t>(count, "the moments of the features");
    std::fill_n(lanes_, count, 0);
    place_lanes({lanes_, count}, fields_, most_rows_of_a_state);
}

void fid_metric::check_room(int index, int64_t rows) const
{
    const int64_t before = side(index).rows() + enqueued_rows_[size_t(index)];
    if (rows > most_rows_of_a_state - before)
        fail(IQA_ERROR_NUMERIC, side_names[index], " has ", rows, " rows after ", before, "; the metric holds at most ",
             most_rows_of_a_state);
}

// No row adds more to a sum than the limit of its feature. Sums beyond the limit of their rows are refused, so that
// lanes with room for more rows have room for their sums.
void fid_metric::check_together(std::span<const int64_t> lanes, iqa_status otherwise) const
{
    const int128 limit = grid().limit();
    for (int index = 0; index < 2; ++index) {
        const moment_lanes set = set_of(const_cast<int64_t *>(lanes.data()), index);
        const auto check = [&](const int64_t *lane, int128 value, int128 lowest_of_row, int128 highest_of_row) {
            if (value < set.rows() * lowest_of_row || value > set.rows() * highest_of_row)
                fail(otherwise, "lane ", lane - lanes.data(), " is part of ", nearest_double(value), ", a sum that ",
                     set.rows(), " rows of the ", side_names[index], " set cannot have");
        };
        for (int64_t i = 0; i < set.features; ++i) {
            check(set.sums() + i, set.sums()[i], -limit, limit);
            for (int64_t j = 0; j <= i; ++j)
                check(set.words(i, j), value_at(set.words(i, j)), i == j ? 0 : -limit * limit, limit * limit);
            check(set.rest_sum(i), value_at(set.rest_sum(i)), -rest_limit, rest_limit);
            check(set.rest_squares(i), value_at(set.rest_squares(i)), 0, rest_limit * rest_limit);
        }
    }
}

void fid_metric::refuse_options(const iqa_metric &from) const
{
    const iqa_fid_options &theirs = static_cast<const fid_metric &>(from).options_;
    if (options_.weights == theirs.weights && options_.layer == theirs.layer && options_.resize == theirs.resize)
        iqa_metric::refuse_options(from);
    fail(IQA_ERROR_INCOMPATIBLE, "the features of this metric come from ", origin_of(options_),
         "; those of the other from ", origin_of(theirs));
}

void fid_metric::add_side(const fid_metric &from, int index, bool negative)
{
    if (!std::equal(option_bytes_.begin(), option_bytes_.end(), from.option_bytes_.begin()))
        refuse_options(from);
    if (!negative)
        check_room(index, from.side(index).rows());
    int64_t *const lanes = side(index).lanes;
    const int64_t *const other = from.side(index).lanes;
    const int64_t singles = 1 + options_.features; // rows and sums; the other lanes are pairs of words
    for (int64_t i = 0; i < singles; ++i)
        lanes[i] += negative ? -other[i] : other[i];
    for (int64_t i = singles; i < moment_lanes::count(options_.features); i += 2) {
        const moment_words words = negative ? iqa::carry({lanes[i] - other[i], lanes[i + 1] - other[i + 1]})
                                            : iqa::carry({lanes[i] + other[i], lanes[i + 1] + other[i + 1]});
        lanes[i] = words.low;
        lanes[i + 1] = words.high;
    }
    computed_ = false;
}

void fid_metric::update(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_update_extras &extras)
{
    refuse_extra(extras.per_image, "per_image", "FID");
    refuse_extra(extras.per_channel, "per_channel", "FID");
    refuse_extra(extras.map, "map", "FID");
    refuse_extra(extras.weights, "weights", "FID");
    refuse_extra(extras.counts, "counts", "FID");
    refuse_extra(extras.candidate_gradient, "candidate_gradient", "FID");
    refuse_extra(extras.reference_gradient, "reference_gradient", "FID");
    refuse_range(extras, "FID");
    if (reference == nullptr && candidate == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "reference and candidate are both NULL; one of them may be");
    const iqa_tensor *const tensors[2] = {reference, candidate};
    table_view views[2] = {};
    for (int index = 0; index < 2; ++index)
        if (tensors[index] != nullptr) {
            views[index] = view_table(*tensors[index], side_names[index], options_.features);
            check_room(index, views[index].rows);
        }

    update_target target(*this, reference != nullptr ? reference : candidate,
                         candidate != nullptr ? candidate : reference, extras, false);
    if (views[0].rows > 0 || views[1].rows > 0)
        add(target, (reference != nullptr ? reference : candidate)->device_id, views);
    target.finish();
    computed_ = false;
}

void fid_metric::add(const update_target &target, int32_t device_id, const table_view (&views)[2])
{
    device_ledger *const ledger = target.ledger;
    if (ledger != nullptr && !device_memory_)
        device_memory_.emplace(*ledger, owner());
    int64_t *const lanes = ledger != nullptr ? ledger->lanes() : lanes_;
    fault found{};
    target.device.moments(owner(), ledger != nullptr ? *device_memory_ : memory_,
                          {.sides = {views[0], views[1]},
                           .grid = grid(),
                           .sets = {set_of(lanes, 0), set_of(lanes, 1)},
                           .report = ledger != nullptr ? ledger->report() : &found},
                          ledger);
    if (found.kind != fault_kind::none)
        raise(found);
    if (ledger == nullptr)
        return;
    place_ = {&target.device, device_id, ledger};
    for (size_t index = 0; index < 2; ++index)
        enqueued_rows_[index] += views[index].rows;
}

void fid_metric::raise(const fault &found) const
{
    text prefix; // on the CPU the failed update is the call itself
    if (found.update > 0)
        prefix << "update " << found.update << " on the CUDA device: ";
    const double largest = double(grid().limit()) / grid().gain();
    fail(IQA_ERROR_NUMERIC, prefix.view(), side_names[found.side], "[", found.row, ", ", found.column, "] is ",
         found.value, "; expected a number from ", -largest, " to ", largest, ", the range of the options");
}

void fid_metric::reset_side(int32_t index) noexcept
{
    std::fill_n(side(index).lanes, moment_lanes::count(options_.features), 0);
    computed_ = false;
}

void fid_metric::require_rows(int index, int64_t rows) const
{
    if (side(index).rows() < rows)
        fail(IQA_ERROR_NO_DATA, "the ", side_names[index], " set has ", side(index).rows(), " rows; at least ", rows,
             rows == 1 ? " is" : " are", " needed");
}

covariance_view fid_metric::covariance_of(int index) const
{
    return {.moments = side(index), .unit = power_of_two(-2 * options_.fraction_bits), .table = {}};
}

double fid_metric::mean_term() const
{
    const moment_lanes a = side(0);
    const moment_lanes b = side(1);
    double sum = 0.0;
    for (int64_t i = 0; i < options_.features; ++i) {
        const double difference = mean_difference(a.rows(), a.sums()[i], b.rows(), b.sums()[i], mean_unit());
        sum = fused_multiply_add(difference, difference, sum);
    }
    return sum;
}

void fid_metric::compute() const
{
    if (!computed_) {
        for (int index = 0; index < 2; ++index)
            require_rows(index, 2);
        const frechet_terms now =
            frechet_distance(owner(), options_.features >= order_worth_a_device ? place_ : place_on_cpu(owner()),
                             mean_term(), {covariance_of(0), covariance_of(1)});
        // Only made-up lanes get here, no set of features.
        if (!(now.raw >= -1e-12 * (now.traces[0] + now.traces[1])))
            fail(IQA_ERROR_NUMERIC, "the distance came out as ", now.raw,
                 ": the lanes that were added are not those of any features");
        parts_ = now;
        rounding_ = rounding_of_distance(now, {side(0), side(1)}, mean_unit());
        computed_ = true;
    }
}

const frechet_terms &fid_metric::parts() const
{
    compute();
    if (!(rounding_ <= largest_rounding * (parts_.mean_term + parts_.traces[0] + parts_.traces[1]))) {
        text effect;
        effect << "the distance, " << parts_.value << ", by up to " << rounding_;
        fail_for_rounding(std::array{0, 1}, effect.c_str());
    }
    return parts_;
}

// The advice follows from the size of the features.
void fid_metric::fail_for_rounding(std::span<const int> sides, const char *effect) const
{
    const int bits = options_.fraction_bits;
    const int fitting = fitting_fraction_bits(grid(), {side(sides.front()), side(sides.back())});
    text advice;
    if (fitting > bits && bits < largest_fraction_bits)
        advice << "about " << std::min(fitting, largest_fraction_bits) << " would suit them";
    else if (fitting > bits)
        advice << "multiply them by a power of two first";
    else
        advice << "subtract what all rows of both sets have in common first";
    fail(IQA_ERROR_NUMERIC, "fraction_bits is ", bits, ", too few for these features: rounding them to multiples of 2^",
         -bits, " may have moved ", effect, "; ", advice.c_str());
}

double fid_metric::flags() const
{
    const frechet_terms &now = parts();
    const bool deficient = now.ranks[0] < options_.features || now.ranks[1] < options_.features;
    return (deficient ? IQA_FID_RANK_DEFICIENT : 0) + (now.raw < 0.0 ? IQA_FID_CLAMPED : 0);
}

size_t fid_metric::read_mean(int index, std::span<double> out) const
{
    require_rows(index, 1);
    const moment_lanes of_side = side(index);
    if (!(rounding_of_mean(of_side) <= largest_rounding))
        fail_for_rounding(std::array{index}, index == 0 ? "the reference mean too far" : "the candidate mean too far");
    for (size_t i = 0; i < out.size(); ++i)
        out[i] = mean(of_side.rows(), of_side.sums()[i], mean_unit());
    return size_t(options_.features);
}

size_t fid_metric::read_covariance(int index, std::span<double> out) const
{
    require_rows(index, 2);
    const covariance_view of_side = covariance_of(index);
    const size_t features = size_t(options_.features);
    double trace = 0.0;
    for (int64_t i = 0; i < options_.features; ++i)
        trace += of_side.at(i, i);
    if (!(rounding_of_trace(side(index), trace, mean_unit()) <= largest_rounding * trace))
        fail_for_rounding(std::array{index},
                          index == 0 ? "the reference covariance too far" : "the candidate covariance too far");
    for (size_t i = 0; i * features < out.size(); ++i)
        for (size_t j = 0; j <= i; ++j)
            out[i * features + j] = out[j * features + i] = of_side.at(int64_t(i), int64_t(j));
    return features * features;
}

size_t fid_metric::read(int32_t field, std::span<double> out) const
{
    switch (field) {
    case IQA_FIELD_FID_MEAN_REFERENCE:
        return read_mean(0, out);
    case IQA_FIELD_FID_MEAN_CANDIDATE:
        return read_mean(1, out);
    case IQA_FIELD_FID_COVARIANCE_REFERENCE:
        return read_covariance(0, out);
    case IQA_FIELD_FID_COVARIANCE_CANDIDATE:
        return read_covariance(1, out);
    default:
        break;
    }
    double value = 0.0;
    switch (field) {
    case IQA_FIELD_FID_ROUNDING:
        compute();
        value = rounding_;
        break;
    case IQA_FIELD_VALUE:
        value = parts().value;
        break;
    case IQA_FIELD_FID_RAW:
        value = parts().raw;
        break;
    case IQA_FIELD_FID_MEAN_TERM:
        value = parts().mean_term;
        break;
    case IQA_FIELD_FID_TRACE_REFERENCE:
        value = parts().traces[0];
        break;
    case IQA_FIELD_FID_TRACE_CANDIDATE:
        value = parts().traces[1];
        break;
    case IQA_FIELD_FID_TRACE_TERM:
        value = parts().trace_term;
        break;
    case IQA_FIELD_FID_RANK_REFERENCE:
        value = double(parts().ranks[0]);
        break;
    case IQA_FIELD_FID_RANK_CANDIDATE:
        value = double(parts().ranks[1]);
        break;
    case IQA_FIELD_FID_FLAGS:
        value = flags();
        break;
    case IQA_FIELD_FID_ROWS_REFERENCE:
        value = double(side(0).rows());
        break;
    case IQA_FIELD_FID_ROWS_CANDIDATE:
        value = double(side(1).rows());
        break;
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which FID does not have");
    }
    if (!out.empty())
        out[0] = value;
    return 1;
}

void fid_metric::load_lanes(byte_reader bytes)
{
    const size_t older = size_t(moment_lanes::count_without_rests(options_.features));
    if (bytes.remaining() != 2 * older * sizeof(int64_t))
        return iqa_metric::load_lanes(bytes);
    for (int index = 0; index < 2; ++index) {
        load_some(size_t(index * moment_lanes::count(options_.features)), older, bytes);
        assume_rests(side(index));
    }
}

iqa_metric *create_fid(context &owner, const iqa_fid_options &options)
{
    fid_option_table.check(options);
    check_origin(options);
    return iqa_metric::make<fid_metric>(owner, options);
}

// Checks the number of lanes first, since the options alone could ask for gigabytes.
iqa_metric *create_fid_of_state(context &owner, const state_parts &parts)
{
    const iqa_fid_options options = fid_option_table.read(byte_reader(parts.options));
    const size_t lanes = parts.lanes.size() / sizeof(int64_t);
    fid_option_table.check(options);
    if (lanes != size_t(2 * moment_lanes::count(options.features)) &&
        lanes != size_t(2 * moment_lanes::count_without_rests(options.features)))
        fail(IQA_ERROR_CORRUPT, "the state has ", lanes, " lanes; ", options.features, " features have ",
             2 * moment_lanes::count(options.features));
    return create_fid(owner, options);
}

void reset_fid_side(iqa_metric &metric, int32_t side)
{
    if (metric.kind() != metric_kind::fid)
        fail(IQA_ERROR_INVALID_ARGUMENT, "metric is not a FID metric");
    check_constant("side", side, IQA_FID_CANDIDATE, "IQA_FID_");
    metric.settle();
    static_cast<fid_metric &>(metric).reset_side(side);
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// The fields of a confusion metric, and the scores of its accumulated counts.
#include <algorithm>

#include "metrics/confusion/metric.hpp"
#include "metrics/confusion/scores.hpp"

namespace iqa {

std::span<const class_counts> confusion_metric::counts_of_classes(scratch &memory) const
{
    const size_t sums = 2 * (classes() + 1) * size_t(plan_.layout.cell_lanes);
    std::byte *block =
        memory.take<std::byte>(classes() * sizeof(class_counts) + sums * sizeof(int64_t), "the counts of the classes");
    const std::span<class_counts> counts(reinterpret_cast<class_counts *>(block), classes());
    read_class_counts(plan_.layout, cells(), counts, reinterpret_cast<int64_t *>(block + counts.size_bytes()));
    return counts;
}

size_t confusion_metric::read_matrix(int32_t field, std::span<double> out) const
{
    const int64_t size = multilabel() ? 2 : options_.classes;
    const int64_t matrices = multilabel() ? options_.classes : 1;
    if (plan_.layout.kind == confusion_layout::per_class)
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field,
             ", a matrix, but the metric was created with IQA_COUNTS_PER_CLASS");
    const auto cell_of = [&](int64_t index, int64_t row, int64_t column) {
        int64_t cell[3];
        cells_of_pair(plan_.layout, index, row, column, cell);
        return cell[0];
    };
    const auto value = [&](int64_t index, int64_t row, int64_t column) {
        return cell_value(plan_.layout, cells(), cell_of(index, row, column));
    };
    const bool counts = plan_.layout.cell_lanes == 1; // not weights
    for (int64_t index = 0; !out.empty() && index < matrices; ++index) {
        double *matrix = out.data() + index * size * size;
        if (field == IQA_FIELD_CONFUSION_MATRIX) {
            for (int64_t row = 0; row < size; ++row)
                for (int64_t column = 0; column < size; ++column)
                    *matrix++ = counts ? double(cells()[cell_of(index, row, column)]) : value(index, row, column).high;
            continue;
        }
        const bool all = field == IQA_FIELD_CONFUSION_MATRIX_BY_ALL;
        const bool by_column = field == IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN;
        // Groups of cells with one divisor: rows, columns, or all cells in row-major order.
        const int64_t groups = all ? 1 : size;
        const int64_t members = all ? size * size : size;
        for (int64_t group = 0; group < groups; ++group) {
            const auto row_of = [&](int64_t i) {
                return all ? i / size : by_column ? i : group;
            };
            const auto column_of = [&](int64_t i) {
                return all ? i % size : by_column ? group : i;
            };
            double_double sum{};
            for (int64_t i = 0; i < members; ++i)
                sum = add(sum, value(index, row_of(i), column_of(i)));
            for (int64_t i = 0; i < members; ++i) {
                const double_double number = value(index, row_of(i), column_of(i));
                matrix[row_of(i) * size + column_of(i)] = sum.high == 0.0 ? 0.0 : divide(number, sum).high;
            }
        }
    }
    return size_t(matrices * size * size);
}

size_t confusion_metric::read_counts(int32_t field, std::span<double> out) const
{
    if (out.empty())
        return classes();
    scratch memory(owner());
    const std::span<const class_counts> counts = counts_of_classes(memory);
    for (size_t k = 0; k < counts.size(); ++k) {
        const double_double support = support_of(counts[k]);
        const double presence = (is_zero(support) ? 0.0 : 1.0) + (is_zero(predicted_of(counts[k])) ? 0.0 : 2.0);
        const double fields[] = {counts[k].true_positive.high,
                                 counts[k].false_positive.high,
                                 counts[k].false_negative.high,
                                 counts[k].true_negative.high,
                                 support.high,
                                 presence};
        out[k] = fields[field - IQA_FIELD_CONFUSION_TRUE_POSITIVES];
    }
    return classes();
}

size_t confusion_metric::read(int32_t field, std::span<double> out) const
{
    switch (field) {
    case IQA_FIELD_VALUE:
        if (options_.score == IQA_SCORE_NONE)
            fail(IQA_ERROR_INVALID_ARGUMENT, "the options state no score for this; set `score`, or use "
                                             "iqa_confusion_score()");
        return score(options_.score, reading_, out);
    case IQA_FIELD_CONFUSION_SAMPLES:
    case IQA_FIELD_CONFUSION_ELEMENTS:
    case IQA_FIELD_CONFUSION_IGNORED:
    case IQA_FIELD_CONFUSION_INVALID:
        if (!out.empty())
            out[0] = double(lanes_[field - IQA_FIELD_CONFUSION_SAMPLES]);
        return 1;
    case IQA_FIELD_CONFUSION_MATRIX:
    case IQA_FIELD_CONFUSION_MATRIX_BY_ROW:
    case IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN:
    case IQA_FIELD_CONFUSION_MATRIX_BY_ALL:
        return read_matrix(field, out);
    case IQA_FIELD_CONFUSION_TRUE_POSITIVES:
    case IQA_FIELD_CONFUSION_FALSE_POSITIVES:
    case IQA_FIELD_CONFUSION_FALSE_NEGATIVES:
    case IQA_FIELD_CONFUSION_TRUE_NEGATIVES:
    case IQA_FIELD_CONFUSION_SUPPORT:
    case IQA_FIELD_CONFUSION_PRESENCE:
        return read_counts(field, out);
    default:
        fail(IQA_ERROR_INVALID_ARGUMENT, "field is ", field, ", which confusion metrics do not have");
    }
}

// ---- Scores

scored confusion_metric::agreement(int32_t score, const score_reader &reader, scratch &memory) const
{
    if (score == IQA_SCORE_MCC || score == IQA_SCORE_KAPPA)
        return correlation(reader, score,
                           options_.out_of_range == IQA_OUT_OF_RANGE_WRONG && lanes_[invalid_counter] != 0);
    if (plan_.layout.kind != confusion_layout::matrix)
        fail(IQA_ERROR_INVALID_ARGUMENT, "a weighted kappa needs the matrix of multiclass labels: IQA_COUNTS_MATRIX");
    return kappa(reader, weighted_disagreement(plan_.layout, cells(), score == IQA_SCORE_KAPPA_QUADRATIC,
                                               memory.take<double_double>(2 * classes(), "the sums of a matrix")));
}

size_t confusion_metric::score(int32_t score, const iqa_confusion_reading &reading, std::span<double> out) const
{
    check_reading(reading, score, options_.classes);
    if (lanes_[sample_counter] == 0)
        fail(IQA_ERROR_NO_DATA, "no labels were added yet");
    const bool by_class = has_average(score) && reading.average == IQA_AVERAGE_NONE;
    const bool pairs = has_average(score) && reading.average == IQA_AVERAGE_PAIRS;
    const bool by_sample = reading.over == IQA_OVER_SAMPLES || pairs;
    if (by_sample)
        check_kept(score, reading);
    const size_t count = by_class ? classes() : 1;
    if (out.empty())
        return count;
    if (by_sample) {
        for (size_t k = 0; k < count; ++k)
            out[k] = of_samples(score, reading, int64_t(k)).value;
        return count;
    }
    scratch memory(owner());
    scratch sums(owner());
    const score_reader reader = reader_of(counts_of_classes(memory).data(), reading);
    if (has_average(score) && reading.average == IQA_AVERAGE_BINARY)
        check_binary_average(reader);
    for (size_t k = 0; by_class && k < count; ++k)
        out[k] = score_of_class(reader, score, int64_t(k)).value;
    if (!by_class)
        out[0] = (is_of_classes(score) ? score_of(reader, score) : agreement(score, reader, sums)).value;
    return count;
}

size_t read_confusion_score(const iqa_metric &metric, int32_t score, const iqa_confusion_reading &reading,
                            std::span<double> out)
{
    const auto *confusion = dynamic_cast<const confusion_metric *>(&metric);
    if (confusion == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, "the metric is no confusion metric");
    return confusion->score(score, reading, out);
}

} // namespace iqa

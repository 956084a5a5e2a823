// SPDX-License-Identifier: MIT
// The options of FID, KID, PRDC and the Inception Score.
#include "core/option_table.hpp"
#include "metrics/metrics.hpp"
#include "metrics/network_options.hpp"

namespace iqa {

namespace {

constexpr option_word word_bits_words[] = {
    IQA_WORD("24", IQA_FID_WORD_24),
    IQA_WORD("32", IQA_FID_WORD_32),
};

constexpr option_row fid_rows[] = {
    IQA_OPTION(iqa_fid_options, features).from(1, most_fid_features).says("How many numbers a row of features has"),
    // The grid covers float32, and floats on a device can be multiplied by its gain.
    IQA_OPTION(iqa_fid_options, fraction_bits)
        .from(-largest_fraction_bits, largest_fraction_bits)
        .says("Features are rounded to multiples of 2^-P once, P being this; from there on all sums are exact. "
              "Features too "
              "small for that are refused, with the P that suits them"),
    IQA_OPTION(iqa_fid_options, word_bits)
        .word(word_bits_words)
        .expects("IQA_FID_WORD_24 or IQA_FID_WORD_32")
        .says("Bits of a rounded feature. 32: features lie within 127 * 2^(24 - P), P being fraction_bits. 24: faster, "
              "within 127 * 2^(16 - P)"),
    IQA_OPTION(iqa_fid_options, weights)
        .at_least(0)
        .later("0.2")
        .says("The digest of the weights of the network that makes the features; 0: not stated. Metrics of different "
              "networks, layers or resizings are not merged"),
    IQA_OPTION(iqa_fid_options, layer)
        .word(network_options::layer_words)
        .later("0.2")
        .says("The layer that the features are of, where weights are stated"),
    IQA_OPTION(iqa_fid_options, resize)
        .word(network_options::resize_words)
        .later("0.2")
        .says("Whose resizing the pictures went through, where weights are stated"),
};

constexpr option_word gamma_words[] = {IQA_WORD("auto", IQA_KID_GAMMA_AUTO)};

constexpr option_word estimator_words[] = {
    IQA_WORD("unbiased", IQA_KID_UNBIASED),
    IQA_WORD("biased", IQA_KID_BIASED),
};

constexpr option_word draw_by_words[] = {
    IQA_WORD("index", IQA_DRAW_BY_INDEX),
    IQA_WORD("content", IQA_DRAW_BY_CONTENT),
};

// No state files: KID, PRDC and the Inception Score do not accumulate.
constexpr option_row kid_rows[] = {
    IQA_OPTION(iqa_kid_options, degree).from(1, 16).outside_of_state().says("The degree of the polynomial kernel"),
    IQA_OPTION(iqa_kid_options, gamma)
        .above(0)
        .or_word(gamma_words)
        .expects("a number above 0, or IQA_KID_GAMMA_AUTO for 1 / D")
        .outside_of_state()
        .says("The factor of the kernel; automatic: 1 / D"),
    IQA_OPTION(iqa_kid_options, coef0)
        .at_least(0)
        .expects("0 or more")
        .outside_of_state()
        .says("The constant of the kernel"),
    IQA_OPTION(iqa_kid_options, estimator)
        .word(estimator_words)
        .outside_of_state()
        .says("Whether pairs of a row with itself are left out"),
    IQA_OPTION(iqa_kid_options, subsets)
        .from(0, 100'000)
        .expects("0, for all rows at once, to 100000")
        .outside_of_state()
        .says("How many random subsets are compared; 0: all rows at once"),
    IQA_OPTION(iqa_kid_options, subset_size)
        .at_least(1)
        .checked_elsewhere()
        .outside_of_state()
        .says("How many rows a subset has, of each set"),
    IQA_OPTION(iqa_kid_options, seed).at_least(0).outside_of_state().says("Which rows the subsets have"),
    IQA_OPTION(iqa_kid_options, draw_by)
        .word(draw_by_words)
        .outside_of_state()
        .new_in("0.2")
        .says("What tells rows apart when subsets are drawn: their indices, or their content, by which the order in "
              "which rows come changes no value"),
};

constexpr option_word ball_words[] = {
    IQA_WORD("open", IQA_PRDC_OPEN),
    IQA_WORD("closed", IQA_PRDC_CLOSED),
};

constexpr option_row prdc_rows[] = {
    IQA_OPTION(iqa_prdc_options, ball)
        .word(ball_words)
        .expects("IQA_PRDC_OPEN or IQA_PRDC_CLOSED")
        .outside_of_state()
        .new_in("0.2")
        .says(
            "Whether a row at exactly the distance of the k-th neighbour is inside: open, as prdc has it: no; closed, "
            "as torch-fidelity has it: yes"),
    IQA_OPTION(iqa_prdc_options, k)
        .at_least(1)
        .outside_of_state()
        .new_in("0.2")
        .says("To which of its nearest neighbours the ball of a row reaches"),
};

constexpr option_word scores_words[] = {
    IQA_WORD("logits", IQA_SCORES_LOGITS),
    IQA_WORD("probabilities", IQA_SCORES_PROBABILITIES),
};

constexpr option_row inception_score_rows[] = {
    IQA_OPTION(iqa_inception_score_options, scores)
        .word(scores_words)
        .outside_of_state()
        .says("What the scores of a row are"),
    IQA_OPTION(iqa_inception_score_options, splits)
        .at_least(1)
        .outside_of_state()
        .says("Into how many splits the rows are cut"),
    IQA_OPTION(iqa_inception_score_options, shuffle)
        .flag()
        .outside_of_state()
        .says("The rows are taken in a random order"),
    IQA_OPTION(iqa_inception_score_options, seed).at_least(0).outside_of_state().says("Which order that is"),
    IQA_OPTION(iqa_inception_score_options, draw_by)
        .word(draw_by_words)
        .outside_of_state()
        .new_in("0.2")
        .says("What tells rows apart in that order: their indices, or their content, by which the order in which rows "
              "come changes no value"),
};

constexpr iqa_fid_options standard_fid = IQA_FID_OPTIONS_INIT;
constexpr iqa_kid_options standard_kid = IQA_KID_OPTIONS_INIT;
constexpr iqa_prdc_options standard_prdc = IQA_PRDC_OPTIONS_INIT;
constexpr iqa_inception_score_options standard_inception_score = IQA_INCEPTION_SCORE_OPTIONS_INIT;

} // namespace

constinit const options_table<iqa_fid_options> fid_option_table("fid", "iqa_fid_options", standard_fid, fid_rows);
constinit const options_table<iqa_kid_options> kid_option_table("kid", "iqa_kid_options", standard_kid, kid_rows);
constinit const options_table<iqa_prdc_options> prdc_option_table("prdc", "iqa_prdc_options", standard_prdc, prdc_rows);
constinit const options_table<iqa_inception_score_options> inception_score_option_table("inception_score",
                                                                                        "iqa_inception_score_options",
                                                                                        standard_inception_score,
                                                                                        inception_score_rows);

} // namespace iqa

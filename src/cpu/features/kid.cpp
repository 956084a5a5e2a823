// SPDX-License-Identifier: MIT
// KID's sums over pairs of rows. Kernel values are summed as integers, so that no split into blocks and threads
// matters.
#include "values/kid.hpp"
#include "cpu/backend.hpp"
#include "cpu/features/row_pairs.hpp"

namespace iqa {

namespace {

// The sums of an item of work, in cache lines of their own.
struct alignas(64) item_sums : pair_sums {};

class kid_pairs {
public:
    kid_pairs(context &where, memory_source &memory, kernel_means_request &request);

    void run(crew &team);

private:
    void draw(crew &team, int64_t index);
    bool add_all(crew &team, int64_t index);
    bool add_pairs(crew &team, const row_set &left, const row_set &right, pair_sums *total);
    void add_block(crew &team, const row_pairs::block &block, pair_sums *total);

    kernel_means_request &request_;
    const fid_kernels &kernels_;
    row_pairs pairs_;
    scratch memory_;
    scratch keys_memory_;
    keyed_row *keys_[2];
    item_sums *item_sums_;
    int64_t done_ = 0;
    int64_t total_;
};

kid_pairs::kid_pairs(context &where, memory_source &memory, kernel_means_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      pairs_(where, memory, kernels_, request.sets[0].view.columns,
             std::max(request.sets[0].count, request.sets[1].count)),
      memory_(memory),
      keys_memory_(memory)
{
    item_sums_ = memory_.take<item_sums>(row_pairs::most_block_rows / row_pairs::least_item, "sums over pairs of rows");
    const int64_t counts[2] = {request.sets[0].count, request.sets[1].count};
    total_ = request.estimates * (pairs_.blocks_within(counts[0]) + pairs_.blocks_within(counts[1]) +
                                  pairs_.blocks_between(counts[0], counts[1]));
    if (request.draws) {
        const auto first = size_t(request.sets[0].view.rows);
        keys_[0] = keys_memory_.take<keyed_row>(first + size_t(request.sets[1].view.rows), "the drawing of subsets");
        keys_[1] = keys_[0] + first;
    }
}

void kid_pairs::run(crew &team)
{
    if (!team.proceed(0, total_))
        return;
    for (int i = 0; i < 2; ++i)
        request_.squares[i] = look_at_rows(team, request_.sets[i].view);
    if (!choose_unit(request_.kernel, request_.squares[0].largest, request_.squares[1].largest))
        return;
    for (int64_t index = 0; index < request_.estimates; ++index) {
        if (request_.draws)
            draw(team, index);
        if (!add_all(team, index))
            return;
    }
    team.proceed(total_, total_);
}

void kid_pairs::draw(crew &team, int64_t index)
{
    team.each(2, request_.sets[0].view.rows + request_.sets[1].view.rows, [&](int64_t set, int32_t) {
        request_.draw(index, set, keys_[set]);
        request_.sets[set].chosen = keys_[set];
    });
    pairs_.forget();
}

bool kid_pairs::add_all(crew &team, int64_t index)
{
    const row_set &first = request_.sets[0];
    const row_set &second = request_.sets[1];
    pair_sums sums[kinds_of_pairs] = {};
    // In an order that reuses loaded rows.
    if (!add_pairs(team, first, first, &sums[within_first]) || !add_pairs(team, first, second, &sums[between_sets]) ||
        !add_pairs(team, second, second, &sums[within_second]))
        return false;
    request_.values[index] = kid_value(sums, first.count, second.count, request_.biased, request_.kernel.unit);
    return true;
}

bool kid_pairs::add_pairs(crew &team, const row_set &left, const row_set &right, pair_sums *total)
{
    return pairs_.each(
        team, left, right, [&] { return team.proceed(done_++, total_); },
        [&](const row_pairs::block &block) { add_block(team, block, total); });
}

void kid_pairs::add_block(crew &team, const row_pairs::block &block, pair_sums *total)
{
    constexpr int64_t least_item = row_pairs::least_item;
    const bool on_diagonal = block.on_diagonal;
    const int64_t rows = block.products.rows();
    const int64_t columns = block.products.cols();
    const int64_t items = divide_up(columns, least_item);
    std::fill_n(item_sums_, items, item_sums{});
    team.each(items, least_item * rows, [&](int64_t item, int32_t) {
        item_sums &sums = item_sums_[item];
        for (int64_t j = item * least_item; j < std::min((item + 1) * least_item, columns); ++j) {
            const double *const column = block.products.col(j).data();
            const int64_t first = on_diagonal ? j + 1 : 0;
            int64_t pairs[kernel_limbs] = {};
            kernels_.add_kernel_values(request_.kernel, column + first, rows - first, pairs);
            sums.pairs.add(pairs);
            if (on_diagonal) {
                int64_t diagonal[kernel_limbs] = {};
                kernels_.add_kernel_values(request_.kernel, column + j, 1, diagonal);
                sums.diagonal.add(diagonal);
            }
        }
    });
    for (int64_t item = 0; item < items; ++item) {
        total->pairs.add(item_sums_[item].pairs.limbs);
        total->diagonal.add(item_sums_[item].diagonal.limbs);
    }
}

} // namespace

void cpu_kernel_means(context &where, int32_t, memory_source &memory, kernel_means_request &request)
{
    kid_pairs work(where, memory, request);
    const int64_t pairs = request.sets[0].count * request.sets[1].count;
    crew::run(where, workers_for(where, where.threads(), pairs), [&](crew &team) { work.run(team); });
}

} // namespace iqa

// SPDX-License-Identifier: MIT
// KID's sums over pairs of rows. Kernel values are summed as integers, so that no split into blocks and threads
// matters, nor whether a subset computes the products of its rows itself, or many take them from those of all rows.
#include "values/kid.hpp"
#include "cpu/backend.hpp"
#include "cpu/features/row_pairs.hpp"

namespace iqa {

namespace {

// The sums of an item of work, in cache lines of their own.
struct alignas(64) item_sums : pair_sums {};

// The sums of a subset that shares products.
struct alignas(64) subset_sums {
    pair_sums kinds[kinds_of_pairs];
};

// Subsets that share products, at most, and those of a word that tells which of them a row is in.
constexpr int64_t most_sharing = 256;
constexpr int64_t sharing_word = 64;

// The multiply-adds that take as long as finding a subset's product among those of all rows, and its kernel value.
constexpr double cost_of_finding = 24.0;

double pairs_of(double rows, double other_rows)
{
    return rows * (rows + 1.0) / 2 + rows * other_rows + other_rows * (other_rows + 1.0) / 2;
}

// How many subsets take their products from those of all rows, each time these are computed. 1: each subset has its
// own, which are fewer.
int64_t subsets_together(const kernel_means_request &request)
{
    if (!request.draws)
        return 1;
    const int64_t passes = divide_up(request.estimates, most_sharing);
    const auto features = double(request.sets[0].view.columns);
    const double own =
        double(request.estimates) * pairs_of(double(request.sets[0].count), double(request.sets[1].count));
    const double all = double(passes) * pairs_of(double(request.sets[0].view.rows), double(request.sets[1].view.rows));
    return all * features + own * cost_of_finding < own * features ? divide_up(request.estimates, passes) : 1;
}

// Products of a subset, and the rows of a block that are in it.
struct alignas(64) found_products {
    double products[most_kernel_values];
    int16_t rows[row_pairs::most_block_rows + 1];
};

class kid_pairs {
public:
    kid_pairs(context &where, memory_source &memory, int workers, kernel_means_request &request);

    void run(crew &team);

private:
    void draw(crew &team, int64_t index);
    template <class Add>
    bool add_sets(crew &team, const row_set *sets, Add &&add);
    double value_of(const pair_sums (&sums)[kinds_of_pairs]) const;
    bool add_alone(crew &team, int64_t index);
    void add_block(crew &team, const row_pairs::block &block, pair_sums *total);
    uint64_t *masks_of(int set, int64_t subset) { return masks_[set] + subset / sharing_word * counts_[set]; }
    bool add_together(crew &team, int64_t first, int64_t count);
    void add_subset(const row_pairs::block &block, int kind, int64_t subset, found_products &found);

    kernel_means_request &request_;
    const fid_kernels &kernels_;
    const int64_t together_;  // subsets that share products; 1: none do
    const int64_t counts_[2]; // rows of each set whose products are computed
    row_pairs pairs_;
    scratch memory_;
    scratch keys_memory_;
    scratch masks_memory_;
    scratch found_memory_;
    keyed_row *keys_[2];
    item_sums *item_sums_;
    uint64_t *masks_[2];       // [together_ / sharing_word][rows]
    subset_sums *subset_sums_; // [together_]
    found_products *found_;    // [workers]
    int64_t done_ = 0;
    int64_t total_;
};

kid_pairs::kid_pairs(context &where, memory_source &memory, int workers, kernel_means_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      together_(subsets_together(request)),
      counts_{together_ > 1 ? request.sets[0].view.rows : request.sets[0].count,
              together_ > 1 ? request.sets[1].view.rows : request.sets[1].count},
      pairs_(where, memory, kernels_, request.sets[0].view.columns, std::max(counts_[0], counts_[1])),
      memory_(memory),
      keys_memory_(memory),
      masks_memory_(memory),
      found_memory_(memory)
{
    total_ =
        divide_up(request.estimates, together_) * (pairs_.blocks_within(counts_[0]) + pairs_.blocks_within(counts_[1]) +
                                                   pairs_.blocks_between(counts_[0], counts_[1]));
    const int64_t rows[2] = {request.sets[0].view.rows, request.sets[1].view.rows};
    if (request.draws) {
        keys_[0] = keys_memory_.take<keyed_row>(size_t(rows[0]) + size_t(rows[1]), "the drawing of subsets");
        keys_[1] = keys_[0] + rows[0];
    }
    if (together_ > 1) {
        const int64_t words = divide_up(together_, sharing_word);
        masks_[0] = masks_memory_.take<uint64_t>(size_t(words * (rows[0] + rows[1])), "the subsets of rows");
        masks_[1] = masks_[0] + words * rows[0];
        found_ = found_memory_.take<found_products>(size_t(workers), "products of subsets");
        subset_sums_ = memory_.take<subset_sums>(size_t(together_), "sums over pairs of rows");
    } else {
        item_sums_ =
            memory_.take<item_sums>(row_pairs::most_block_rows / row_pairs::least_item, "sums over pairs of rows");
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
    for (int64_t first = 0; first < request_.estimates; first += together_)
        if (!(together_ > 1 ? add_together(team, first, std::min(together_, request_.estimates - first))
                            : add_alone(team, first)))
            return;
    team.proceed(total_, total_);
}

void kid_pairs::draw(crew &team, int64_t index)
{
    team.each(2, request_.sets[0].view.rows + request_.sets[1].view.rows,
              [&](int64_t set, int32_t) { request_.draw(index, set, keys_[set]); });
}

// Calls add(block, kind) for all pairs of the rows of two sets.
template <class Add>
bool kid_pairs::add_sets(crew &team, const row_set *sets, Add &&add)
{
    const auto add_kind = [&](const row_set &left, const row_set &right, int kind) {
        return pairs_.each(
            team, left, right, [&] { return team.proceed(done_++, total_); },
            [&](const row_pairs::block &block) { add(block, kind); });
    };
    // In an order that reuses loaded rows.
    return add_kind(sets[0], sets[0], within_first) && add_kind(sets[0], sets[1], between_sets) &&
           add_kind(sets[1], sets[1], within_second);
}

double kid_pairs::value_of(const pair_sums (&sums)[kinds_of_pairs]) const
{
    return kid_value(sums, request_.sets[0].count, request_.sets[1].count, request_.biased, request_.kernel.unit);
}

// ---- Subsets that compute products of their own.

bool kid_pairs::add_alone(crew &team, int64_t index)
{
    if (request_.draws) {
        draw(team, index);
        for (int set = 0; set < 2; ++set)
            request_.sets[set].chosen = keys_[set];
        pairs_.forget();
    }
    pair_sums sums[kinds_of_pairs] = {};
    if (!add_sets(team, request_.sets,
                  [&](const row_pairs::block &block, int kind) { add_block(team, block, &sums[kind]); }))
        return false;
    request_.values[index] = value_of(sums);
    return true;
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

// ---- Subsets that share products.

bool kid_pairs::add_together(crew &team, int64_t first, int64_t count)
{
    std::fill_n(masks_[0], divide_up(together_, sharing_word) * (counts_[0] + counts_[1]), 0);
    for (int64_t subset = 0; subset < count; ++subset) {
        if (!team.proceed(done_, total_))
            return false;
        draw(team, first + subset);
        for (int set = 0; set < 2; ++set)
            for (int64_t i = 0; i < request_.sets[set].count; ++i)
                masks_of(set, subset)[keys_[set][i].row] |= uint64_t(1) << subset % sharing_word;
    }
    std::fill_n(subset_sums_, count, subset_sums{});
    const row_set all[2] = {{request_.sets[0].view, nullptr, counts_[0]}, {request_.sets[1].view, nullptr, counts_[1]}};
    pairs_.forget();
    const auto add = [&](const row_pairs::block &block, int kind) {
        team.each(count, block.products.size(),
                  [&](int64_t subset, int32_t worker) { add_subset(block, kind, subset, found_[worker]); });
    };
    if (!add_sets(team, all, add))
        return false;
    for (int64_t subset = 0; subset < count; ++subset)
        request_.values[first + subset] = value_of(subset_sums_[subset].kinds);
    return true;
}

void kid_pairs::add_subset(const row_pairs::block &block, int kind, int64_t subset, found_products &found)
{
    const auto rows = int(block.products.rows());
    const auto columns = int(block.products.cols());
    const uint64_t *of_rows = masks_of(kind == within_second, subset) + block.first_row;
    const uint64_t *of_columns = masks_of(kind != within_first, subset) + block.first_column;
    const auto is_in = [=](uint64_t mask) {
        return int(mask >> subset % sharing_word & 1);
    };
    int row_count = 0;
    for (int i = 0; i < rows; ++i) {
        found.rows[row_count] = int16_t(i);
        row_count += is_in(of_rows[i]);
    }
    pair_sums &sums = subset_sums_[subset].kinds[kind];
    int count = 0;
    const auto add_found = [&](limb_sums &to) {
        int64_t limbs[kernel_limbs] = {};
        kernels_.add_kernel_values(request_.kernel, found.products, count, limbs);
        to.add(limbs);
        count = 0;
    };
    int above = 0; // rows up to the diagonal
    for (int j = 0; j < columns; ++j) {
        if (!is_in(of_columns[j]))
            continue;
        if (block.on_diagonal)
            ++above;
        if (count + row_count > most_kernel_values)
            add_found(sums.pairs);
        const double *const column = block.products.col(j).data();
        for (int i = above; i < row_count; ++i)
            found.products[count++] = column[found.rows[i]];
    }
    add_found(sums.pairs);
    for (int i = 0; block.on_diagonal && i < row_count; ++i)
        found.products[count++] = block.products(found.rows[i], found.rows[i]);
    add_found(sums.diagonal);
}

} // namespace

void cpu_kernel_means(context &where, int32_t, memory_source &memory, kernel_means_request &request)
{
    const int workers = workers_for(where, where.threads(), request.sets[0].count * request.sets[1].count);
    kid_pairs work(where, memory, workers, request);
    crew::run(where, workers, [&](crew &team) { work.run(team); });
}

} // namespace iqa

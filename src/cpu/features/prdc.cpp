// SPDX-License-Identifier: MIT
// Neighbours of rows, and which rows lie in whose ball. Squares of distances are integers that come exactly from the
// dot products of rows on the grid, so that no split into blocks and threads matters. For each row the k smallest so
// far are kept as a heap; a kernel looks for anything below the largest of them, which soon is rare.
#include <atomic>
#include <limits>

#include "arith/nearest.h"
#include "cpu/backend.hpp"
#include "cpu/features/row_pairs.hpp"

namespace iqa {

namespace {

// Rows that a kernel looks at in one call.
constexpr int64_t run_of_rows = 64;

class neighbour_search {
public:
    neighbour_search(context &where, memory_source &memory, neighbours_request &request);

    void run(crew &team);

private:
    void measure_rows(crew &team, int set, double gain);
    bool find_radii(crew &team, int set);
    void find_in_block(crew &team, int set, const row_pairs::block &block);
    void keep(int set, int64_t row, double square);
    bool count_balls(crew &team);
    void count_block(crew &team, const row_pairs::block &block);
    template <class Use>
    void each_within(const row_pairs::block &block, int set, int64_t column, double square, int64_t first, int64_t last,
                     const double *limits, Use &&use) const;

    neighbours_request &request_;
    const fid_kernels &kernels_;
    row_pairs pairs_;
    scratch memory_;
    scratch heaps_memory_;
    double *squares_[2];
    uint8_t *inside_[3]; // rows of the second set in a ball; of the first; balls of the first with a row
    double *heaps_;      // [rows][k]
    std::atomic<int64_t> pairs_inside_ = 0;
    int64_t done_ = 0;
    int64_t total_;
};

neighbour_search::neighbour_search(context &where, memory_source &memory, neighbours_request &request)
    : request_(request),
      kernels_(fid_kernels_for(where)),
      pairs_(where, memory, kernels_, request.sets[0].view.columns,
             std::max(request.sets[0].count, request.sets[1].count)),
      memory_(memory),
      heaps_memory_(memory)
{
    const int64_t first = request.sets[0].count;
    const int64_t second = request.sets[1].count;
    const int64_t squares = (first + second) * int64_t(sizeof(double));
    std::byte *const bytes = memory_.take<std::byte>(size_t(squares + first + first + second), "what is known of rows");
    squares_[0] = reinterpret_cast<double *>(bytes);
    squares_[1] = squares_[0] + first;
    inside_[0] = reinterpret_cast<uint8_t *>(bytes + squares);
    inside_[1] = inside_[0] + second;
    inside_[2] = inside_[1] + first;
    heaps_ = heaps_memory_.take<double>(request.most_neighbours(), "the nearest neighbours of rows");
    total_ = pairs_.blocks_within(first) + pairs_.blocks_within(second) + pairs_.blocks_between(first, second);
}

void neighbour_search::run(crew &team)
{
    if (!team.proceed(0, total_))
        return;
    for (int set = 0; set < 2; ++set)
        request_.squares[set] = look_at_rows(team, request_.sets[set].view);
    if (!request_.has_finite_squares())
        return;
    const double gain = power_of_two(request_.fraction_bits());
    pairs_.round_to(gain);
    for (int set = 0; set < 2; ++set)
        measure_rows(team, set, gain);
    if (find_radii(team, 0) && find_radii(team, 1) && count_balls(team))
        team.proceed(total_, total_);
}

void neighbour_search::measure_rows(crew &team, int set, double gain)
{
    const table_view &table = request_.sets[set].view;
    const items_of_rows items(table);
    team.each(items.count, items.rows * table.columns, [&](int64_t item, int32_t) {
        for (int64_t row = item * items.rows; row < std::min((item + 1) * items.rows, table.rows); ++row) {
            row_measures measures = {};
            visit_row(table, row, [&](int64_t column, double value) { measures.add(column, value, gain); });
            request_.measures[set][row] = measures;
            squares_[set][row] = measures.square;
        }
    });
}

bool neighbour_search::find_radii(crew &team, int set)
{
    const row_set &rows = request_.sets[set];
    std::fill_n(heaps_, rows.count * request_.k, std::numeric_limits<double>::infinity());
    std::fill_n(request_.radii[set], rows.count, std::numeric_limits<double>::infinity());
    return pairs_.each(
        team, rows, rows, [&] { return team.proceed(done_++, total_); },
        [&](const row_pairs::block &block) { find_in_block(team, set, block); });
}

// Calls use(row, square of its distance to the column's row) for each row first ... last - 1 of a block, at least for
// those with a square, plus `square` less that of the column's row, within its limit; limits are those of the rows.
template <class Use>
void neighbour_search::each_within(const row_pairs::block &block, int set, int64_t column, double square, int64_t first,
                                   int64_t last, const double *limits, Use &&use) const
{
    const double *const products = block.products.col(column).data();
    const double *const squares = squares_[set] + block.first_row;
    if (kernels_.any_within(products + first, squares + first, square, limits, int(last - first)))
        for (int64_t row = first; row < last; ++row)
            use(row, square_of_distance(squares[row], square, products[row]));
}

// A block has each pair once, so the distance counts for the neighbours of both of its rows: first those of columns,
// then those of rows, so that one worker has all distances of a row in this block.
void neighbour_search::find_in_block(crew &team, int set, const row_pairs::block &block)
{
    const int64_t rows = block.products.rows();
    const int64_t columns = block.products.cols();
    const double *const radii = request_.radii[set];
    const auto first_row_of = [&](int64_t column, int64_t first) {
        return block.on_diagonal ? std::max(first, column + 1) : first;
    };
    team.each(columns, rows, [&](int64_t column, int32_t) {
        const int64_t owner = block.first_column + column;
        double limits[run_of_rows];
        for (int64_t first = first_row_of(column, 0); first < rows; first += run_of_rows) {
            std::fill_n(limits, run_of_rows, radii[owner]);
            each_within(block, set, column, squares_[set][owner], first, std::min(first + run_of_rows, rows), limits,
                        [&](int64_t, double square) { keep(set, owner, square); });
        }
    });
    team.each(divide_up(rows, run_of_rows), run_of_rows * columns, [&](int64_t item, int32_t) {
        const int64_t last = std::min((item + 1) * run_of_rows, rows);
        for (int64_t column = 0; column < columns; ++column) {
            const int64_t first = first_row_of(column, item * run_of_rows);
            if (first < last)
                each_within(block, set, column, squares_[set][block.first_column + column], first, last,
                            radii + block.first_row + first,
                            [&](int64_t row, double square) { keep(set, block.first_row + row, square); });
        }
    });
}

// Takes the square of a distance into the k smallest of a row.
void neighbour_search::keep(int set, int64_t row, double square)
{
    double &radius = request_.radii[set][row];
    if (square >= radius)
        return;
    double *const heap = heaps_ + row * request_.k;
    replace_largest(heap, 1, request_.k, square);
    radius = heap[0];
}

bool neighbour_search::count_balls(crew &team)
{
    const row_set &first = request_.sets[0];
    const row_set &second = request_.sets[1];
    std::fill_n(inside_[0], 2 * first.count + second.count, uint8_t(0));
    if (!pairs_.each(
            team, first, second, [&] { return team.proceed(done_++, total_); },
            [&](const row_pairs::block &block) { count_block(team, block); }))
        return false;
    const auto number = [](const uint8_t *flags, int64_t count) {
        return std::count(flags, flags + count, 1);
    };
    request_.counts = {.precise = number(inside_[0], second.count),
                       .recalled = number(inside_[1], first.count),
                       .covered = number(inside_[2], first.count),
                       .pairs = pairs_inside_.load()};
    return true;
}

void neighbour_search::count_block(crew &team, const row_pairs::block &block)
{
    const int64_t rows = block.products.rows();
    const auto set_flag = [](uint8_t &flag) {
        std::atomic_ref(flag).store(1, std::memory_order_relaxed);
    };
    team.each(block.products.cols(), rows, [&](int64_t column, int32_t) {
        const int64_t candidate = block.first_column + column;
        const double square = squares_[1][candidate] + request_.surface();
        double limits[run_of_rows];
        std::fill_n(limits, run_of_rows, request_.radii[1][candidate]);
        int64_t pairs = 0;
        for (int64_t first = 0; first < rows; first += run_of_rows) {
            const int64_t last = std::min(first + run_of_rows, rows);
            const double *const radii = request_.radii[0] + block.first_row;
            each_within(block, 0, column, square, first, last, radii + first, [&](int64_t row, double distance) {
                if (distance <= radii[row]) {
                    ++pairs;
                    set_flag(inside_[2][block.first_row + row]);
                }
            });
            each_within(block, 0, column, square, first, last, limits, [&](int64_t row, double distance) {
                if (distance <= limits[0])
                    set_flag(inside_[1][block.first_row + row]);
            });
        }
        if (pairs > 0) {
            inside_[0][candidate] = 1;
            pairs_inside_.fetch_add(pairs, std::memory_order_relaxed);
        }
    });
}

} // namespace

void cpu_neighbours(context &where, int32_t, memory_source &memory, neighbours_request &request)
{
    neighbour_search work(where, memory, request);
    const int64_t pairs = request.sets[0].count * request.sets[1].count;
    crew::run(where, workers_for(where, where.threads(), pairs), [&](crew &team) { work.run(team); });
}

} // namespace iqa

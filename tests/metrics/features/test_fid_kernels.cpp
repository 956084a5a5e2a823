// SPDX-License-Identifier: MIT
// The kernels of FID's moments, each table of them, and AMX's over plain tiles; and which table is taken where.
#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>

#include "core/context.hpp"
#include "cpu/features/moments.hpp"
#include "cpu/isa/dispatch.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"
#include "support/plain_tiles.hpp"

#define IQA_INSTRUCTION_SET plain_tiles
#include "cpu/features/slices.inl"

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace iqa {
namespace plain_tiles {
extern const moment_kernels moments;
constexpr moment_kernels moments = moment_table<slice_cut>("plain tiles", multiply_slices<test::plain_tiles>);
} // namespace plain_tiles
namespace baseline {
extern const moment_kernels moments;
}
namespace avx512 {
extern const moment_kernels moments;
extern const moment_kernels moments_vnni;
#if defined(IQA_HAVE_AMX)
extern const moment_kernels moments_amx;
#endif
} // namespace avx512
} // namespace iqa

using namespace test;

namespace {

const iqa::moment_kernels &chosen(int isa)
{
    const auto context = make_context(1, isa);
    return iqa::moment_kernels_for(*context);
}

#if defined(IQA_HAVE_AMX)

// AMX's as they are compiled, but for the products, which need tiles.
const iqa::moment_kernels amx_but_tiles = [] {
    iqa::moment_kernels kernels = iqa::avx512::moments_amx;
    kernels.name = "AMX's but for tiles";
    kernels.multiply_panels = iqa::plain_tiles::moments.multiply_panels;
    return kernels;
}();

#endif

// The tables that this processor can run, and AMX's over plain tiles.
std::vector<const iqa::moment_kernels *> moment_tables()
{
    std::vector<const iqa::moment_kernels *> tables = {&iqa::baseline::moments, &iqa::plain_tiles::moments};
    const auto add = [&](const iqa::moment_kernels &kernels) {
        if (std::find(tables.begin(), tables.end(), &kernels) == tables.end())
            tables.push_back(&kernels);
    };
    add(chosen(IQA_ISA_AVX2));
    add(chosen(IQA_ISA_AVX512));
#if defined(__x86_64__)
    // Not chosen where there is better, but they run there too.
    if (std::string(tables.back()->name).starts_with("avx512")) {
        add(iqa::avx512::moments);
        if (__builtin_cpu_supports("avx512vnni"))
            add(iqa::avx512::moments_vnni);
#if defined(IQA_HAVE_AMX)
        add(amx_but_tiles);
#endif
    }
#endif
    return tables;
}

constexpr int fraction_bits = 16;

// Rows of integers of the grid.
struct grid_rows {
    int64_t rows, features;
    bool wide;
    std::vector<double> values;

    grid_rows(int64_t row_count, int64_t feature_count, bool wide_words)
        : rows(row_count), features(feature_count), wide(wide_words), values(size_t(row_count * feature_count))
    {
    }
    void set(int64_t row, int64_t column, int64_t q)
    {
        values[size_t(row * features + column)] = std::ldexp(double(q), -fraction_bits);
    }
    int64_t q(int64_t row, int64_t column) const
    {
        return int64_t(std::ldexp(values[size_t(row * features + column)], fraction_bits));
    }
    iqa::table_view view() const
    {
        return {iqa::element_type::float64,
                reinterpret_cast<const std::byte *>(values.data()),
                rows,
                features,
                features,
                1};
    }
    int64_t limit() const { return wide ? iqa::wide_limit : iqa::narrow_limit; }
};

struct moment_states {
    std::vector<int64_t> lanes[2];
    iqa::fault report = {};

    explicit moment_states(int64_t features)
    {
        for (auto &set : lanes)
            set.resize(size_t(iqa::moment_lanes::count(features)));
    }
    void add(const iqa::moment_kernels &kernels, int threads, const grid_rows &reference, const grid_rows &candidate)
    {
        const auto context = make_context(threads);
        iqa::scratch memory(*context);
        const iqa::moment_request request = {
            .sides = {reference.view(), candidate.view()},
            .grid = {fraction_bits, reference.wide},
            .sets = {{lanes[0].data(), reference.features}, {lanes[1].data(), reference.features}},
            .report = &report,
        };
        iqa::add_moments(kernels, *context, memory, request);
    }
};

std::vector<int64_t> plain_lanes(const grid_rows &set)
{
    std::vector<int64_t> lanes(size_t(iqa::moment_lanes::count(set.features)));
    const iqa::moment_lanes moments = {lanes.data(), set.features};
    moments.rows() = set.rows;
    for (int64_t i = 0; i < set.features; ++i) {
        for (int64_t row = 0; row < set.rows; ++row)
            moments.sums()[i] += set.q(row, i);
        for (int64_t j = 0; j <= i; ++j) {
            iqa::int128 sum = 0;
            for (int64_t row = 0; row < set.rows; ++row)
                sum += iqa::int128(set.q(row, i)) * set.q(row, j);
            moments.words(i, j)[0] = int64_t(sum & 0xffffffff);
            moments.words(i, j)[1] = int64_t(sum >> 32);
        }
    }
    return lanes;
}

// The integers with the largest digits and slices, of either sign, in all orders of signs.
std::vector<int64_t> largest(bool wide)
{
    std::vector<int64_t> words;
    const int64_t limit = wide ? iqa::wide_limit : iqa::narrow_limit;
    for (const int64_t s0 : {-128, 127})
        for (const int64_t s1 : {-128, 127})
            for (const int64_t s2 : {-128, 127})
                for (const int64_t s3 : {-127, -126, 126, 127}) {
                    const int64_t q = wide ? s0 + s1 * (1 << 8) + s2 * (1 << 16) + s3 * (1 << 24)
                                           : s0 + s1 * (1 << 8) + s3 * (1 << 16);
                    if (std::abs(q) <= limit)
                        words.push_back(q);
                }
    words.insert(words.end(), {limit, -limit, 0, 1, -1});
    return words;
}

} // namespace

TEST_CASE("moments by every table of kernels equal plain 128-bit sums", "[fid]")
{
    const bool wide = GENERATE(true, false);
    const int threads = GENERATE(1, 3);
    const std::vector<const iqa::moment_kernels *> tables = moment_tables();
    for (const int64_t features : {1, 17, 33, 70})
        for (const int64_t rows : {1, 3, 63, 64, 65, 257, 509, 1025}) {
            grid_rows set(rows, features, wide);
            random_numbers random(uint64_t(rows * 100 + features));
            for (int64_t row = 0; row < rows; ++row)
                for (int64_t column = 0; column < features; ++column)
                    set.set(row, column, int64_t((random.uniform() * 2 - 1) * double(set.limit())));
            const std::vector<int64_t> expected = plain_lanes(set);
            for (const iqa::moment_kernels *kernels : tables) {
                INFO(kernels->name << ", " << rows << " x " << features);
                moment_states states(features);
                states.add(*kernels, threads, set, grid_rows(0, features, wide));
                CHECK((states.lanes[0] == expected));
            }
        }
}

TEST_CASE("moments by every table are exact where all digits and slices are the largest", "[fid]")
{
    const bool wide = GENERATE(true, false);
    const std::vector<int64_t> words = largest(wide);
    const auto features = int64_t(words.size());
    // The same in all rows, so that sums grow as fast as they can, or each feature through all of them.
    const int64_t step = GENERATE(0, 5);
    for (const int64_t rows : {1024, 1100}) {
        grid_rows set(rows, features, wide);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t column = 0; column < features; ++column)
                set.set(row, column, words[size_t((column + step * row) % features)]);
        const std::vector<int64_t> expected = plain_lanes(set);
        for (const iqa::moment_kernels *kernels : moment_tables()) {
            INFO(kernels->name << ", " << rows << " rows");
            moment_states states(features);
            states.add(*kernels, 1, set, grid_rows(0, features, wide));
            CHECK((states.lanes[0] == expected));
        }
    }
}

TEST_CASE("a feature outside the grid, far down, leaves both sets as they were", "[fid]")
{
    const bool wide = GENERATE(true, false);
    grid_rows good(70, 35, wide);
    grid_rows bad(1500, 35, wide);
    for (int64_t row = 0; row < bad.rows; ++row)
        for (int64_t column = 0; column < bad.features; ++column) {
            bad.set(row, column, row * 4999 - column * 104729);
            if (row < good.rows)
                good.set(row, column, row - column);
        }
    bad.set(1490, 34, bad.limit() + 1);
    for (const iqa::moment_kernels *kernels : moment_tables()) {
        INFO(kernels->name);
        moment_states states(good.features);
        states.add(*kernels, 2, good, good);
        const moment_states before = states;
        states.add(*kernels, 2, good, bad);
        CHECK((states.lanes[0] == before.lanes[0]));
        CHECK((states.lanes[1] == before.lanes[1]));
        CHECK(states.report.side == 1);
        CHECK(states.report.row == 1490);
        CHECK(states.report.column == 34);
    }
}

TEST_CASE("plane products are summed modulo 2^32 over the longest allowed block", "[fid]")
{
    for (const iqa::moment_kernels *kernels : moment_tables()) {
        if (kernels->wide.sums != iqa::wide_planes)
            continue; // slices, whose sums do not wrap
        INFO(kernels->name);
        // The largest digits of planes: of the value at 2, and of the sum of two.
        const struct {
            bool wide;
            int planes, rows, digit;
        } worst[] = {{true, iqa::wide_planes, iqa::most_rows_wide / 2 * 2, -5104},
                     {false, iqa::narrow_planes, iqa::most_rows_narrow / 2 * 2, -4080}};
        for (const auto &[wide, planes, rows, digit] : worst) {
            const std::vector<int16_t> panel(size_t(planes * rows * iqa::panel_width), int16_t(digit));
            std::vector<int32_t> products(size_t(planes * iqa::panel_width * iqa::panel_width));
            kernels->multiply_panels(panel.data(), panel.data(), rows, wide, products.data());
            const int64_t expected = int64_t(rows) * digit * digit;
            CHECK(expected > std::numeric_limits<int32_t>::max());
            CHECK(std::all_of(products.begin(), products.end(), [&](int32_t p) { return p == int32_t(expected); }));
        }
    }
}

TEST_CASE("tiles are used where the processor, the system and the process have them", "[fid]")
{
    constexpr uint32_t tile = 1u << 24, int8 = 1u << 25, bfloat16 = 1u << 22;
    constexpr uint64_t shapes = 1u << 17, data = 1u << 18, vectors = 0xe7;
    int asked = 0;
    const auto grants = [&] {
        return ++asked, true;
    };
    const auto refuses = [&] {
        return ++asked, false;
    };
    CHECK_FALSE(iqa::tiles_usable(0, vectors, grants));
    CHECK_FALSE(iqa::tiles_usable(tile | bfloat16, vectors | shapes | data, grants));
    CHECK_FALSE(iqa::tiles_usable(int8, vectors | shapes | data, grants));
    CHECK_FALSE(iqa::tiles_usable(tile | int8, vectors, grants));
    CHECK_FALSE(iqa::tiles_usable(tile | int8, vectors | shapes, grants));
    CHECK_FALSE(iqa::tiles_usable(tile | int8, vectors | data, grants));
    CHECK(asked == 0);
    CHECK_FALSE(iqa::tiles_usable(tile | int8, vectors | shapes | data, refuses));
    CHECK(asked == 1);
    CHECK(iqa::tiles_usable(tile | int8 | bfloat16, vectors | shapes | data, grants));
    CHECK(asked == 2);
}

#if defined(__x86_64__)

namespace {

bool has_permission()
{
    constexpr long get_permission = 0x1022; // ARCH_GET_XCOMP_PERM
    uint64_t features = 0;
    return syscall(SYS_arch_prctl, get_permission, &features) == 0 && (features >> 18 & 1) != 0;
}

} // namespace

TEST_CASE("the table of moments is the best that the context allows and the process gets", "[fid]")
{
    // Nobody asks for tiles to use less than AVX-512.
    const bool before = has_permission();
    CHECK(std::string(chosen(IQA_ISA_BASELINE).name) == "baseline");
    const std::string less = chosen(IQA_ISA_AVX2).name;
    CHECK((less == "avx2" || less == "baseline"));
    CHECK(has_permission() == before);

    const auto context = make_context(1, IQA_ISA_AVX512);
    errno = EDOM;
    const std::string best = iqa::moment_kernels_for(*context).name;
    CHECK(errno == EDOM);
    if (!best.starts_with("avx512"))
        return;
    CHECK((best == "avx512_amx") == has_permission());
    if (best != "avx512_amx")
        CHECK(best == (__builtin_cpu_supports("avx512vnni") ? "avx512_vnni" : "avx512"));
    // Calls leave no tiles behind: a thread's are then as at its start, and XGETBV says that they are not in use.
    if (best == "avx512_amx") {
        const grid_rows set(100, 40, true);
        moment_states states(40);
        states.add(iqa::moment_kernels_for(*context), 1, set, set);
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
        CHECK((low & (3u << 17)) == 0);
    }
}

#endif

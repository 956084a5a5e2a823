// SPDX-License-Identifier: MIT
// src/arith against the C library's long double functions and obvious loops.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "arith/border.h"
#include "arith/confusion.h"
#include "arith/divider.h"
#include "arith/elementary.h"
#include "arith/exact_sum.h"
#include "arith/half.h"
#include "arith/shrink.h"
#include "arith/squared_error.h"
#include "arith/ssim_pivot.h"
#include "arith/weight.h"
#include "arith/window.h"
#include "support/catch.hpp"
#include "support/support.hpp"

using namespace iqa;

TEST_CASE("fused multiply-add without the instruction rounds once", "[arith]")
{
    test::random_numbers random(1);
    const auto any_float = [&] {
        // All magnitudes, subnormals, and often few bits so that ties and cancellation occur.
        uint32_t bits = random.next() << 1 | (random.next() & 1);
        if (random.below(2) == 0)
            bits &= 0xffffff00u << random.below(16);
        if (random.below(2) == 0)
            bits = (bits & 0x807fffffu) | uint32_t(100 + random.below(60)) << 23;
        return float_from_bits(bits);
    };
    for (int i = 0; i < 2'000'000; ++i) {
        const float a = any_float();
        const float b = any_float();
        const float c = random.below(4) == 0 ? float(-double(a) * double(b)) : any_float();
        const float ours = fused_multiply_add(a, b, c);
        const float theirs = std::fma(a, b, c);
        if (bits_of(ours) != bits_of(theirs) && !(std::isnan(ours) && std::isnan(theirs))) {
            CAPTURE(a, b, c, ours, theirs);
            FAIL();
        }
    }
}

TEST_CASE("logarithm and exponential are rounded correctly", "[arith]")
{
    test::random_numbers random(2);
    for (int i = 0; i < 20'000; ++i) {
        const double value = std::ldexp(1.0 + random.uniform(), int(random.below(2000)) - 1000);
        const double_double log = log_scaled({value, 0.0}, 0);
        const long double exact = std::log((long double)value);
        REQUIRE(std::abs((long double)log.high + log.low - exact) <= 0x1p-62L * std::abs(exact));
        const double power = (random.uniform() - 0.9) * 300;
        const long double exact_power = std::exp((long double)power);
        REQUIRE(std::abs(exponential(power) - exact_power) <= 0x1.001p-53L * exact_power);
    }
    // All digits of a double-double: the product of two integers of 26 bits is exact.
    for (int i = 0; i < 20'000; ++i) {
        const double a = double(random.below(1 << 26) + 2), b = double(random.below(1 << 26) + 2);
        const double_double product = log_scaled({a * b, 0.0}, 0);
        const double_double parts = add(log_scaled({a, 0.0}, 0), log_scaled({b, 0.0}, 0));
        const double_double difference = add(product, {-parts.high, -parts.low});
        REQUIRE(std::abs(difference.high) <= 0x1p-102 * product.high);
    }
    CHECK(log_scaled({1.0, 0.0}, 0).high == 0.0);
    for (const double none : {0.0, -1.0, -HUGE_VAL, HUGE_VAL, std::nan("")})
        CHECK(std::isnan(log_scaled({none, 0.0}, 0).high));
    for (const double extreme : {std::numeric_limits<double>::min(), 0x1p1023, std::numeric_limits<double>::max()})
        CHECK(log_scaled({extreme, 0.0}, 0).high == double(std::log((long double)extreme)));
    CHECK(exponential(0.0) == 1.0);
    CHECK(exponential(-1000.0) == 0.0);
    CHECK(to_double({1.5, 3}) == 12.0);
}

TEST_CASE("exact sums do not depend on order and round once", "[arith]")
{
    test::random_numbers random(3);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::pair<int128, int>> terms;
        long double largest = 0;
        for (int i = 0; i < 50; ++i) {
            const int128 mantissa =
                (int128(random.next()) << 64 | int128(random.next()) << 20) * (random.below(2) == 0 ? 1 : -1);
            terms.emplace_back(mantissa, int(random.below(200)) - 150);
            largest = std::max(largest, std::abs(std::ldexp((long double)mantissa, terms.back().second)));
        }
        int64_t forwards[square_format.digits] = {};
        int64_t backwards[square_format.digits] = {};
        int64_t apart[square_format.digits] = {};
        int64_t halves[2][square_format.digits] = {};
        for (size_t i = 0; i < terms.size(); ++i) {
            exact_add(square_format, forwards, terms[i].first, terms[i].second);
            exact_add(square_format, backwards, terms[terms.size() - 1 - i].first, terms[terms.size() - 1 - i].second);
            exact_add(square_format, halves[i % 2], terms[i].first, terms[i].second);
        }
        for (int i = 0; i < square_format.digits; ++i)
            apart[i] = halves[0][i] + halves[1][i];
        exact_carry(square_format, apart);
        REQUIRE(std::memcmp(forwards, backwards, sizeof forwards) == 0);
        REQUIRE(std::memcmp(forwards, apart, sizeof forwards) == 0);

        long double sum = 0;
        for (const auto &[mantissa, exponent] : terms)
            sum += std::ldexp((long double)mantissa, exponent);
        REQUIRE(std::abs(to_double(exact_value(square_format, forwards)) - sum) <= 0x1p-50L * largest);

        // Taking everything away again leaves nothing at all.
        for (const auto &[mantissa, exponent] : terms)
            exact_add(square_format, forwards, -mantissa, exponent);
        for (const int64_t lane : forwards)
            REQUIRE(lane == 0);
    }
}

TEST_CASE("digits of a weight are the weight", "[arith]")
{
    test::random_numbers random(8);
    const auto check = [](double weight) {
        REQUIRE(has_exact_sums(weight));
        const weight_digits digits = digits_of_weight(weight);
        REQUIRE(digits.first >= 0);
        REQUIRE(digits.first + weight_digits::count <= weight_format.digits);
        long double sum = 0;
        for (int i = 0; i < weight_digits::count; ++i) {
            REQUIRE(digits.digit[i] >= 0);
            REQUIRE(digits.digit[i] >> 32 == 0);
            sum += std::ldexp((long double)digits.digit[i], weight_format.lowest + 32 * (digits.first + i));
        }
        CHECK(sum == weight);
    };
    for (const double weight : {0.0, -0.0, 1.0, 1.0 / 3, smallest_weight, std::nextafter(largest_weight, 0.0)})
        check(weight);
    for (int exponent = -76; exponent < 64; ++exponent)
        for (int i = 0; i < 20; ++i)
            check(std::ldexp(2 - std::ldexp(double(random.next()) * 0x1p31 + double(random.next()), -62), exponent));
    check(std::nextafter(smallest_weight, 1.0));
}

TEST_CASE("exact values are rounded to nearest, ties to even", "[arith]")
{
    const auto value = [](std::initializer_list<std::pair<int128, int>> terms) {
        int64_t lanes[square_format.digits] = {};
        for (const auto &[mantissa, exponent] : terms)
            exact_add(square_format, lanes, mantissa, exponent);
        return to_double(exact_value(square_format, lanes));
    };
    CHECK(value({}) == 0.0);
    CHECK(value({{1, 0}}) == 1.0);
    CHECK(value({{-1, 0}}) == -1.0);
    CHECK(value({{-1, -500}}) == -0x1p-500);
    CHECK(value({{1, 53}, {1, 0}}) == 0x1p53);                // a tie goes to the even neighbour
    CHECK(value({{1, 53}, {3, 0}}) == 0x1p53 + 4);            // ... which may be above
    CHECK(value({{1, 53}, {1, 0}, {1, -300}}) == 0x1p53 + 2); // just above a tie
    CHECK(value({{1, 53}, {1, 0}, {-1, -300}}) == 0x1p53);    // just below
    CHECK(value({{-1, 53}, {-1, 0}, {-1, -300}}) == -0x1p53 - 2);
    CHECK(value({{1, 54}, {-1, 0}}) == 0x1p54); // carries into the next power of two
    CHECK(value({{1, 1000}, {1, -2000}}) == 0x1p1000);
    CHECK(value({{1, 1500}}) == HUGE_VAL);
    CHECK(value({{1, -2000}}) == 0.0);
}

TEST_CASE("values on the grid of one image sum to the mean", "[arith]")
{
    int64_t lanes[unit_format.digits] = {};
    for (int i = 0; i < 1000; ++i)
        exact_add(unit_format, lanes, int128(1) << 80, -80);
    CHECK(to_double(exact_value(unit_format, lanes)) == 1000.0);
    for (int i = 0; i < 3000; ++i)
        exact_add(unit_format, lanes, -(int128(1) << 80), -80);
    CHECK(to_double(exact_value(unit_format, lanes)) == -2000.0);
}

TEST_CASE("half precision widens exactly", "[arith]")
{
    for (uint32_t bits = 0; bits < 65536; ++bits) {
        const int exponent = int(bits >> 10 & 31);
        const double fraction = double(bits & 1023) / 1024;
        const double sign = bits & 0x8000 ? -1 : 1;
        const float ours = widen(float16{uint16_t(bits)});
        if (exponent == 31) {
            REQUIRE((fraction == 0 ? ours == sign * HUGE_VAL : std::isnan(ours)));
        } else {
            const double exact =
                sign * (exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15));
            REQUIRE(ours == exact);
            REQUIRE(std::signbit(ours) == (sign < 0));
        }
        uint32_t wide = bits << 16;
        float theirs;
        std::memcpy(&theirs, &wide, sizeof theirs);
        const float brain = widen(bfloat16{uint16_t(bits)});
        REQUIRE((brain == theirs || (std::isnan(brain) && std::isnan(theirs))));
    }
}

TEST_CASE("borders repeat as they should, however far", "[arith]")
{
    const auto spell = [](border_mode mode) {
        std::string text;
        for (int position = -6; position < 10; ++position) {
            const int64_t index = border_index(mode, position, 4);
            text += index < 0 ? '0' : char('a' + index);
        }
        return text;
    };
    CHECK(spell(border_mode::reflect) == "abcdcbabcdcbabcd");
    CHECK(spell(border_mode::symmetric) == "cddcbaabcddcbaab");
    CHECK(spell(border_mode::replicate) == "aaaaaaabcddddddd");
    CHECK(spell(border_mode::zero) == "000000abcd000000");
    for (const border_mode mode : {border_mode::reflect, border_mode::symmetric, border_mode::replicate})
        for (int position = -5; position < 6; ++position)
            CHECK(border_index(mode, position, 1) == 0);
}

TEST_CASE("window taps are symmetric and sum to one", "[arith]")
{
    for (const double sigma : {0.25, 0.5, 1.0, 1.5, 3.0, 10.0})
        for (const int size : {1, 3, 5, 11, 35}) {
            std::vector<double> taps(size_t(size), 0.0);
            std::vector<float> rounded(size_t(size), 0.0f);
            gaussian_taps(sigma, size, taps.data());
            round_taps(taps.data(), size, rounded.data());
            double sum = 0;
            double sum_of_rounded = 0;
            for (int i = 0; i < size; ++i) {
                CHECK(taps[size_t(i)] == taps[size_t(size - 1 - i)]);
                CHECK(rounded[size_t(i)] == rounded[size_t(size - 1 - i)]);
                sum += taps[size_t(i)];
                sum_of_rounded += double(rounded[size_t(i)]);
            }
            CHECK(std::abs(sum - 1) < 2e-15);
            CHECK(std::abs(sum_of_rounded - 1) < 6e-8);
        }
}

TEST_CASE("a pivot lies among the samples that are usable", "[arith]")
{
    test::random_numbers random(7);
    for (uint32_t usable = 0; usable < uint32_t(1) << pivot_samples; ++usable) {
        pivot_grid<float> grid;
        float least = std::numeric_limits<float>::infinity();
        float most = -least;
        for (int i = 0; i < pivot_samples; ++i) {
            const bool masked = (usable >> i & 1) == 0;
            const float x = 1.5f + float(random.below(64)) / 256;
            const float y = 1.5f + float(random.below(64)) / 256;
            grid.put(i, masked ? -100.0f : x, masked && i % 2 == 0 ? std::nanf("") : y, masked && i % 2 == 1);
            if (!masked) {
                least = std::min({least, x, y});
                most = std::max({most, x, y});
            }
        }
        const float pivot = grid.pivot();
        if (usable == 0 ? pivot != 0 : !(pivot >= least && pivot <= most))
            FAIL("usable " << usable << ": " << pivot << " of " << least << " to " << most);
    }
}

TEST_CASE("a divider gives whole quotients of all numbers below 2^31", "[arith]")
{
    constexpr uint32_t most = 0x7fffffff;
    std::vector<uint32_t> divisors;
    for (uint32_t divisor = 1; divisor <= 300; ++divisor)
        divisors.push_back(divisor);
    for (int bit = 8; bit < 31; ++bit)
        for (const uint32_t near : {0u, 1u, 2u})
            divisors.push_back((1u << bit) - 1 + near);
    divisors.push_back(most);
    test::random_numbers random(2);
    for (int i = 0; i < 300; ++i)
        divisors.push_back(1 + uint32_t(random.next() % most));
    for (const uint32_t divisor : divisors) {
        const divider by = divider_by(divisor);
        std::vector<uint32_t> numbers = {0, 1, most - 1, most};
        for (int i = 0; i < 50; ++i) { // around multiples
            const uint32_t multiple = uint32_t(random.next() % (most / divisor + 1)) * divisor;
            numbers.insert(numbers.end(), {multiple, multiple == 0 ? 0 : multiple - 1});
        }
        for (const uint32_t number : numbers)
            if (by.quotient(number) != number / divisor) // much faster than a check for each
                FAIL(number << " / " << divisor << " = " << by.quotient(number));
    }
}

TEST_CASE("boxes are found without division where they are found with it", "[arith]")
{
    for (const shrink_rule rule :
         {shrink_rule::symmetric, shrink_rule::floor, shrink_rule::zero, shrink_rule::replicate})
        for (const int factor : {1, 2, 3})
            for (int64_t extent = factor; extent < 12; ++extent)
                for (const bool any_odd : {extent % 2 != 0, true}) {
                    const bool pads = rule == shrink_rule::zero || rule == shrink_rule::replicate;
                    if (pads && factor != 2)
                        continue;
                    const shrink_axis axis = {rule, factor, extent, any_odd};
                    const axis_of_boxes boxes = boxes_along(axis);
                    CAPTURE(int(rule), factor, extent, any_odd);
                    CHECK(boxes.boxes == axis.boxes());
                    for (int64_t pixel = 0; pixel < extent; ++pixel) {
                        const box_share found = boxes.share_of(pixel);
                        const box_share expected = share_of(axis, pixel);
                        CHECK(found.box == expected.box);
                        CHECK((found.box < 0 || found.times == expected.times));
                    }
                }
}

TEST_CASE("a float has the weight that it has as a double")
{
    // Floats from all parts of their bits, and the ties and neighbours of 1/2, where the way changes.
    const auto check = [](uint32_t bits) {
        const float weight = iqa::float_from_bits(bits);
        return iqa::bits_of(iqa::weight_on_grid(weight)) == iqa::bits_of(iqa::weight_on_grid(double(weight)));
    };
    bool all = true;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 997)
        all = all && check(uint32_t(bits));
    for (const float weight : {0.0f, 0x1p-149f, 0x1p-25f, 0x1.8p-24f, 0x1.4p-23f, 0.25f, 0.5f, 1.0f, -0.0f})
        for (int step = -100; step <= 100; ++step)
            all = all && check(iqa::bits_of(weight) + uint32_t(step));
    CHECK(all);
}

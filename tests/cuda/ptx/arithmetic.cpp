// SPDX-License-Identifier: MIT
// Arithmetic, comparisons and operations on bits.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "arith/portable.h"
#include "cuda/ptx/lanewise.hpp"

namespace test::ptx {

namespace {

template <class T>
using twice =
    std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                       std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                                          std::conditional_t<std::is_signed_v<T>, iqa::int128, iqa::uint128>>>;

// Unsigned arithmetic wraps around.
template <class T>
T sum(T x, T y)
{
    return T(uint64_t(x) + uint64_t(y));
}
template <class T>
T product(T x, T y)
{
    return T(uint64_t(x) * uint64_t(y));
}
template <class T>
T high_product(T x, T y)
{
    return T(twice<T>(twice<T>(x) * twice<T>(y)) >> (8 * sizeof(T)));
}

// Defined for division by zero, and for the least number divided by -1.
template <class T>
T quotient(T x, T y)
{
    if (y == 0)
        return T(-1);
    return std::is_signed_v<T> && y == T(-1) ? T(0 - uint64_t(x)) : T(x / y);
}

template <class T>
void define_integers(operation_table &table)
{
    const std::string type = "." + type_name<T>();
    define<T, T, T>(table, "add" + type, [](T x, T y) { return sum(x, y); });
    define<T, T, T>(table, "sub" + type, [](T x, T y) { return T(uint64_t(x) - uint64_t(y)); });
    define<T, T, T>(table, "mul.lo" + type, [](T x, T y) { return product(x, y); });
    define<T, T, T>(table, "mul.hi" + type, [](T x, T y) { return high_product(x, y); });
    define<T, T, T, T>(table, "mad.lo" + type, [](T x, T y, T z) { return sum(product(x, y), z); });
    define<T, T, T, T>(table, "mad.hi" + type, [](T x, T y, T z) { return sum(high_product(x, y), z); });
    define<T, T, T>(table, "div" + type, [](T x, T y) { return quotient(x, y); });
    define<T, T, T>(table, "rem" + type, [](T x, T y) { return y == 0 ? x : T(x - product(quotient(x, y), y)); });
    define<T, T, T>(table, "min" + type, [](T x, T y) { return std::min(x, y); });
    define<T, T, T>(table, "max" + type, [](T x, T y) { return std::max(x, y); });
    define<T, T>(table, "neg" + type, [](T x) { return T(0 - uint64_t(x)); });
    define<T, T>(table, "abs" + type, [](T x) { return x < T(0) ? T(0 - uint64_t(x)) : x; });
    if constexpr (sizeof(T) < 8) {
        using W = twice<T>;
        define<W, T, T>(table, "mul.wide" + type, [](T x, T y) { return W(W(x) * W(y)); });
        define<W, T, T, W>(table, "mad.wide" + type, [](T x, T y, W z) { return sum(W(W(x) * W(y)), z); });
    }
}

template <class T>
void define_bits(operation_table &table, const std::string &type)
{
    using U = std::make_unsigned_t<T>;
    constexpr uint32_t width = 8 * sizeof(T);
    define<T, T, T>(table, "and" + type, [](T x, T y) { return T(x & y); });
    define<T, T, T>(table, "or" + type, [](T x, T y) { return T(x | y); });
    define<T, T, T>(table, "xor" + type, [](T x, T y) { return T(x ^ y); });
    define<T, T>(table, "not" + type, [](T x) { return T(~x); });
    define<T, T, uint32_t>(table, "shl" + type,
                           [](T x, uint32_t n) { return n >= width ? T(0) : T(uint64_t(x) << n); });
    define<T, T, uint32_t>(table, "shr" + type, [](T x, uint32_t n) {
        return n < width ? T(x >> n) : std::is_signed_v<T> && x < T(0) ? T(-1) : T(0);
    });
    if constexpr (sizeof(T) >= 4) {
        define<uint32_t, T>(table, "clz" + type, [](T x) { return uint32_t(std::countl_zero(U(x))); });
        define<uint32_t, T>(table, "popc" + type, [](T x) { return uint32_t(std::popcount(U(x))); });
        define<T, T, T, uint32_t, uint32_t>(table, "bfi" + type, [](T from, T into, uint32_t at, uint32_t length) {
            at &= 255;
            length = std::min(length & 255, at < width ? width - at : 0);
            const U mask = length == 0 ? U(0) : U(U(~U(0)) >> (width - length) << at);
            return T((U(into) & ~mask) | (length == 0 ? U(0) : U(U(from) << at) & mask));
        });
    }
}

template <class T, class F>
void define_comparison(operation_table &table, const std::string &name, const std::string &type, F)
{
    const std::string compare = "setp." + name;
    define<truth, T, T>(table, compare + type, [](T x, T y) { return F{}(x, y); });
    define<truth, T, T, truth>(table, compare + ".and" + type, [](T x, T y, bool z) { return F{}(x, y) && z; });
    define<truth, T, T, truth>(table, compare + ".or" + type, [](T x, T y, bool z) { return F{}(x, y) || z; });
    define<truth, T, T, truth>(table, compare + ".xor" + type, [](T x, T y, bool z) { return F{}(x, y) != z; });
}

template <class T>
void define_comparisons(operation_table &table, const std::string &type)
{
    define_comparison<T>(table, "eq", type, [](T x, T y) { return x == y; });
    define_comparison<T>(table, "ne", type, [](T x, T y) { return x != y && x == x && y == y; });
    define_comparison<T>(table, "lt", type, [](T x, T y) { return x < y; });
    define_comparison<T>(table, "le", type, [](T x, T y) { return x <= y; });
    define_comparison<T>(table, "gt", type, [](T x, T y) { return x > y; });
    define_comparison<T>(table, "ge", type, [](T x, T y) { return x >= y; });
    if constexpr (std::is_floating_point_v<T>) { // true if either is NaN
        define_comparison<T>(table, "equ", type, [](T x, T y) { return !(x < y) && !(x > y); });
        define_comparison<T>(table, "neu", type, [](T x, T y) { return x != y; });
        define_comparison<T>(table, "ltu", type, [](T x, T y) { return !(x >= y); });
        define_comparison<T>(table, "leu", type, [](T x, T y) { return !(x > y); });
        define_comparison<T>(table, "gtu", type, [](T x, T y) { return !(x <= y); });
        define_comparison<T>(table, "geu", type, [](T x, T y) { return !(x < y); });
        define_comparison<T>(table, "num", type, [](T x, T y) { return x == x && y == y; });
        define_comparison<T>(table, "nan", type, [](T x, T y) { return x != x || y != y; });
    }
}

template <class T>
void define_choice(operation_table &table, const std::string &type)
{
    define<T, T>(table, "mov" + type, [](T x) { return x; });
    define<T, T, T, truth>(table, "selp" + type, [](T x, T y, bool first) { return first ? x : y; });
}

// If one is NaN, the other; -0 is less than 0.
template <class T>
T lesser(T x, T y)
{
    if (x != x || y != y)
        return canonical(x != x ? y : x);
    return x < y || (x == y && std::signbit(x)) ? x : y;
}

template <class T>
void define_floats(operation_table &table)
{
    const std::string type = "." + type_name<T>();
    for (const std::string rounding : {"", ".rn"}) {
        define<T, T, T>(table, "add" + rounding + type, [](T x, T y) { return canonical(x + y); });
        define<T, T, T>(table, "sub" + rounding + type, [](T x, T y) { return canonical(x - y); });
        define<T, T, T>(table, "mul" + rounding + type, [](T x, T y) { return canonical(x * y); });
    }
    define<T, T, T, T>(table, "fma.rn" + type, [](T x, T y, T z) { return canonical(std::fma(x, y, z)); });
    define<T, T, T>(table, "div.rn" + type, [](T x, T y) { return canonical(x / y); });
    define<T, T>(table, "rcp.rn" + type, [](T x) { return canonical(1 / x); });
    define<T, T>(table, "sqrt.rn" + type, [](T x) { return canonical(std::sqrt(x)); });
    define<T, T, T>(table, "min" + type, [](T x, T y) { return lesser(x, y); });
    define<T, T, T>(table, "max" + type, [](T x, T y) { return canonical(-lesser(-x, -y)); });
    define<T, T>(table, "neg" + type, [](T x) { return -x; });
    define<T, T>(table, "abs" + type, [](T x) { return std::fabs(x); });
}

// A value and its carry out.
template <class T>
struct carrying {
    T value;
    bool carry;
};

template <class T, class F, class... Operands>
void lanewise_with_carry(warp &self, const instruction &op, lane_mask mask)
{
    T results[lanes];
    lane_mask carries = 0;
    const auto apply = [&]<size_t... I>(std::index_sequence<I...>)
    {
        for (int lane = 0; lane < lanes; ++lane) {
            const carrying<T> made =
                F{}(self.carry >> lane & 1, lane_value<Operands>::read(self.frame + op.offset[I + 1], lane)...);
            results[lane] = made.value;
            carries |= lane_mask(made.carry) << lane;
        }
    };
    apply(std::index_sequence_for<Operands...>{});
    lane_value<T>::write(self.frame + op.offset[0], results, mask);
    self.carry = (self.carry & ~mask) | (carries & mask);
}

template <class T, class... Operands, class F>
void define_carry(operation_table &table, const std::string &name, F)
{
    // Only instructions with .cc write the carry out.
    struct keeps {
        carrying<T> operator()(bool carry, Operands... operands) { return {F{}(carry, operands...).value, carry}; }
    };
    const std::vector<uint8_t> sizes = {sizeof(T), sizeof(Operands)...};
    std::vector<std::string> types = {"." + type_name<T>()};
    if (name.find("hi") == std::string::npos) // the high part of a product depends on the sign
        types.push_back("." + type_name<std::make_signed_t<T>>());
    for (const std::string &type : types) {
        table[name + ".cc" + type] = {&lanewise_with_carry<T, F, Operands...>, sizes};
        if (name.find('c') != std::string::npos) // addc, subc, madc
            table[name + type] = {&lanewise_with_carry<T, keeps, Operands...>, sizes};
    }
}

template <class T>
carrying<T> add_up(T x, T y, bool carry)
{
    const auto total = iqa::uint128(x) + y + carry;
    return {T(total), (total >> (8 * sizeof(T))) != 0};
}

// x - y is x + ~y + 1, so the carry is 1 if nothing was borrowed.
template <class T>
void define_carries(operation_table &table)
{
    define_carry<T, T, T>(table, "add", [](bool, T x, T y) { return add_up(x, y, false); });
    define_carry<T, T, T>(table, "addc", [](bool carry, T x, T y) { return add_up(x, y, carry); });
    define_carry<T, T, T>(table, "sub", [](bool, T x, T y) { return add_up(x, T(~y), true); });
    define_carry<T, T, T>(table, "subc", [](bool carry, T x, T y) { return add_up(x, T(~y), carry); });
    define_carry<T, T, T, T>(table, "mad.lo", [](bool, T x, T y, T z) { return add_up(product(x, y), z, false); });
    define_carry<T, T, T, T>(table, "madc.lo", [](bool c, T x, T y, T z) { return add_up(product(x, y), z, c); });
    define_carry<T, T, T, T>(table, "mad.hi", [](bool, T x, T y, T z) { return add_up(high_product(x, y), z, false); });
    define_carry<T, T, T, T>(table, "madc.hi", [](bool c, T x, T y, T z) { return add_up(high_product(x, y), z, c); });
}

// Bytes of two words, or their signs, as a third word selects them.
uint32_t permuted(uint32_t low, uint32_t high, uint32_t choice)
{
    const uint64_t bytes = uint64_t(high) << 32 | low;
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
        const uint32_t selector = choice >> (4 * i) & 15;
        uint32_t byte = uint32_t(bytes >> (8 * (selector & 7))) & 255;
        if (selector & 8)
            byte = byte & 128 ? 255 : 0;
        result |= byte << (8 * i);
    }
    return result;
}

template <class Part, class T>
T dot(uint32_t x, uint32_t y, T sum, int parts, int first = 0)
{
    for (int i = 0; i < parts; ++i)
        sum += T(Part(x >> (32 / parts * i))) * T(uint8_t(y >> (8 * (i + first))));
    return sum;
}

void define_words(operation_table &table)
{
    using W = uint32_t;
    define<W, W, W, W>(table, "prmt.b32", [](W x, W y, W choice) { return permuted(x, y, choice); });
    define<W, W, W, W>(table, "shf.l.wrap.b32",
                       [](W x, W y, W n) { return W((uint64_t(y) << 32 | x) << (n & 31) >> 32); });
    define<W, W, W, W>(table, "shf.l.clamp.b32",
                       [](W x, W y, W n) { return n >= 32 ? x : W((uint64_t(y) << 32 | x) << n >> 32); });
    define<W, W, W, W>(table, "shf.r.wrap.b32", [](W x, W y, W n) { return W((uint64_t(y) << 32 | x) >> (n & 31)); });
    define<W, W, W, W>(table, "shf.r.clamp.b32",
                       [](W x, W y, W n) { return W((uint64_t(y) << 32 | x) >> std::min(n, 32u)); });
    define<W, W, W, W>(table, "dp4a.u32.u32", [](W x, W y, W z) { return dot<uint8_t>(x, y, z, 4); });
    define<W, W, W, W>(table, "dp2a.lo.u32.u32", [](W x, W y, W z) { return dot<uint16_t>(x, y, z, 2); });
    define<W, W, W, W>(table, "dp2a.hi.u32.u32", [](W x, W y, W z) { return dot<uint16_t>(x, y, z, 2, 2); });
    define<float, float>(table, "rcp.approx.f32", [](float x) { return canonical(1 / x); });
}

void define_truths(operation_table &table)
{
    define<truth, truth>(table, "mov.pred", [](bool x) { return x; });
    define<truth, truth>(table, "not.pred", [](bool x) { return !x; });
    define<truth, truth, truth>(table, "and.pred", [](bool x, bool y) { return x && y; });
    define<truth, truth, truth>(table, "or.pred", [](bool x, bool y) { return x || y; });
    define<truth, truth, truth>(table, "xor.pred", [](bool x, bool y) { return x != y; });
}

} // namespace

void define_arithmetic(operation_table &table)
{
    for_types<int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>([&]<class T>() {
        define_integers<T>(table);
        std::vector<std::string> names = {"." + type_name<T>()};
        if (std::is_unsigned_v<T>)
            names.push_back(".b" + std::to_string(8 * sizeof(T)));
        for (const std::string &type : names) {
            define_bits<T>(table, type);
            define_comparisons<T>(table, type);
            define_choice<T>(table, type);
        }
    });
    for_types<float, double>([&]<class T>() {
        define_floats<T>(table);
        define_comparisons<T>(table, "." + type_name<T>());
        define_choice<T>(table, "." + type_name<T>());
    });
    define_carries<uint32_t>(table);
    define_carries<uint64_t>(table);
    define_words(table);
    define_truths(table);
}

} // namespace test::ptx

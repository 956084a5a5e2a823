// SPDX-License-Identifier: MIT
// Conversions between numbers. Registers may be wider than the numbers in them.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "cuda/ptx/lanewise.hpp"

namespace test::ptx {

namespace {

template <class To, class From, class F>
void convert(warp &self, const instruction &op, lane_mask mask)
{
    if (op.size[0] == sizeof(To) && op.size[1] == sizeof(From))
        return lanewise<To, F, From>(self, op, mask);
    for (int lane = 0; lane < lanes; ++lane)
        if (mask >> lane & 1) {
            const To value = F{}(read_part<From>(self.frame, op, 1, lane));
            if constexpr (std::is_floating_point_v<To>)
                std::memcpy(self.frame + op.offset[0] + size_t(lane) * sizeof(To), &value, sizeof value);
            else
                write_part(self.frame, op, 0, lane, value);
        }
}

template <class To, class From, class F>
void define_cvt(operation_table &table, const std::string &rounding, F)
{
    const uint8_t to = std::is_floating_point_v<To> ? uint8_t(sizeof(To)) : any;
    const uint8_t from = std::is_floating_point_v<From> ? uint8_t(sizeof(From)) : any;
    table["cvt" + rounding + "." + type_name<To>() + "." + type_name<From>()] = {&convert<To, From, F>, {to, from}};
}

// Clamps to the range of the type. NaN becomes 0, or, if either type has 64 bits, the number with only the highest bit.
template <class To, class From>
To saturated(From value)
{
    if (value != value)
        return sizeof(From) < 8 && sizeof(To) < 8 ? To(0) : To(uint64_t(1) << (8 * sizeof(To) - 1));
    constexpr From end = From(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (value >= end)
        return std::numeric_limits<To>::max();
    if (value < From(std::numeric_limits<To>::min()))
        return std::numeric_limits<To>::min();
    return To(value);
}

template <class Float>
void define_of_floats(operation_table &table)
{
    for_types<int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>([&]<class T>() {
        define_cvt<T, Float>(table, ".rni", [](Float x) { return saturated<T>(std::rint(x)); });
        define_cvt<T, Float>(table, ".rzi", [](Float x) { return saturated<T>(std::trunc(x)); });
        define_cvt<T, Float>(table, ".rmi", [](Float x) { return saturated<T>(std::floor(x)); });
        define_cvt<T, Float>(table, ".rpi", [](Float x) { return saturated<T>(std::ceil(x)); });
    });
    for_types<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>(
        [&]<class T>() { define_cvt<Float, T>(table, ".rn", [](T x) { return Float(x); }); });
}

float widened(uint16_t half)
{
    const int exponent = half >> 10 & 31;
    const int fraction = half & 1023;
    const float sign = half & 0x8000 ? -1.0f : 1.0f;
    if (exponent == 31)
        return fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
    return sign * std::ldexp(float(exponent == 0 ? fraction : fraction + 1024), std::max(exponent, 1) - 25);
}

void from_half(warp &self, const instruction &op, lane_mask mask)
{
    float results[lanes];
    for (int lane = 0; lane < lanes; ++lane)
        results[lane] = canonical(widened(lane_value<uint16_t>::read(self.frame + op.offset[1], lane)));
    lane_value<float>::write(self.frame + op.offset[0], results, mask);
}

// mov.b64 {low, high}, whole and mov.b64 whole, {low, high}
template <class Whole, class Part>
void take_apart(warp &self, const instruction &op, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane)
        if (mask >> lane & 1) {
            const Whole value = read_part<Whole>(self.frame, op, 2, lane);
            write_part(self.frame, op, 0, lane, Part(value));
            write_part(self.frame, op, 1, lane, Part(value >> (8 * sizeof(Part))));
        }
}

template <class Whole, class Part>
void define_pairs(operation_table &table, const std::string &type)
{
    constexpr uint8_t part = sizeof(Part);
    table["mov" + type + ".into2"] = {&take_apart<Whole, Part>, {part, part, sizeof(Whole)}};
    define<Whole, Part, Part>(table, "mov" + type + ".from2",
                              [](Part low, Part high) { return Whole(Whole(high) << (8 * sizeof(Part)) | low); });
}

// Generic addresses of shared, local and parameter memory lie in windows.
template <uint64_t Window>
void define_window(operation_table &table, const std::string &name)
{
    define<uint64_t, uint64_t>(table, "cvta." + name + ".u64", [](uint64_t x) { return x | Window; });
    define<uint64_t, uint64_t>(table, "cvta.to." + name + ".u64", [](uint64_t x) { return x & ~window_mask; });
}

} // namespace

void define_conversions(operation_table &table)
{
    for_types<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>([&]<class To>() {
        for_types<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>(
            [&]<class From>() { define_cvt<To, From>(table, "", [](From x) { return To(x); }); });
    });
    define_of_floats<float>(table);
    define_of_floats<double>(table);
    define_cvt<double, float>(table, "", [](float x) { return canonical(double(x)); });
    define_cvt<float, double>(table, ".rn", [](double x) { return canonical(float(x)); });
    table["cvt.f32.f16"] = {&from_half, {4, 2}};
    define_pairs<uint64_t, uint32_t>(table, ".b64");
    define_pairs<uint32_t, uint16_t>(table, ".b32");
    define<uint64_t, uint64_t>(table, "cvta.to.global.u64", [](uint64_t x) { return x; });
    define_window<shared_window>(table, "shared");
    define_window<local_window>(table, "local");
    define_window<param_window>(table, "param");
}

} // namespace test::ptx

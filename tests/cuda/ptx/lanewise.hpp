// SPDX-License-Identifier: MIT
// Instructions that work lane by lane, made from a function of one lane's values.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "cuda/ptx/warp.hpp"

namespace test::ptx {

// Stands for a predicate, since bool would be a number.
struct truth {};

template <class T>
struct lane_value {
    using type = T;
    static constexpr uint8_t size = sizeof(T);
    static T read(const char *from, int lane)
    {
        T value;
        std::memcpy(&value, from + size_t(lane) * sizeof(T), sizeof(T));
        return value;
    }
    static void write(char *to, const T (&values)[lanes], lane_mask mask)
    {
        if (mask == all_lanes)
            std::memcpy(to, values, sizeof values);
        for (int lane = 0; lane < lanes && mask != all_lanes; ++lane)
            if (mask >> lane & 1)
                std::memcpy(to + size_t(lane) * sizeof(T), &values[lane], sizeof(T));
    }
};

template <>
struct lane_value<truth> {
    using type = bool;
    static constexpr uint8_t size = 0;
    static bool read(const char *from, int lane)
    {
        lane_mask bits;
        std::memcpy(&bits, from, sizeof bits);
        return bits >> lane & 1;
    }
    static void write(char *to, const bool (&values)[lanes], lane_mask mask)
    {
        lane_mask bits;
        std::memcpy(&bits, to, sizeof bits);
        bits &= ~mask;
        for (int lane = 0; lane < lanes; ++lane)
            bits |= lane_mask(values[lane]) << lane & mask;
        std::memcpy(to, &bits, sizeof bits);
    }
};

// The low part of a register, which may be wider.
template <class T>
T read_part(const char *frame, const instruction &op, size_t operand, int lane)
{
    T value;
    std::memcpy(&value, frame + op.offset[operand] + size_t(lane) * op.size[operand], sizeof(T));
    return value;
}

// Extends the value to the width of the register, with its sign.
template <class T>
void write_part(char *frame, const instruction &op, size_t operand, int lane, T value)
{
    const int64_t wide = int64_t(value);
    std::memcpy(frame + op.offset[operand] + size_t(lane) * op.size[operand], &wide, op.size[operand]);
}

template <class Result, class F, class... Operands>
void lanewise(warp &self, const instruction &op, lane_mask mask)
{
    typename lane_value<Result>::type results[lanes];
    const auto apply = [&]<size_t... I>(std::index_sequence<I...>)
    {
        for (int lane = 0; lane < lanes; ++lane)
            results[lane] = F{}(lane_value<Operands>::read(self.frame + op.offset[I + 1], lane)...);
    };
    apply(std::index_sequence_for<Operands...>{});
    lane_value<Result>::write(self.frame + op.offset[0], results, mask);
}

template <class Result, class... Operands, class F>
void define(operation_table &table, const std::string &name, F)
{
    table[name] = {&lanewise<Result, F, Operands...>, {lane_value<Result>::size, lane_value<Operands>::size...}};
}

template <class T>
std::string type_name()
{
    const char kind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 's' : 'u';
    return kind + std::to_string(8 * sizeof(T));
}

template <class... T, class F>
void for_types(F &&f)
{
    (f.template operator()<T>(), ...);
}

// NaN results. float has the bits of the hardware. The bits of double are documented for few instructions: here they
// differ from a CPU's, so that a test notices a result that shows them.
inline float canonical(float value)
{
    return value == value ? value : std::bit_cast<float>(0x7fffffffu);
}
inline double canonical(double value)
{
    return value == value ? value : std::bit_cast<double>(uint64_t(0x7ff8) << 48);
}

} // namespace test::ptx

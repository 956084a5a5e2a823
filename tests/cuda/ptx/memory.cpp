// SPDX-License-Identifier: MIT
// Loads, stores and atomics. Each address must be aligned and lie in memory that is there; shared memory must not be
// raced for.
#include <algorithm>
#include <atomic>

#include "cuda/ptx/lanewise.hpp"

namespace test::ptx {

namespace {

std::string hex(uint64_t value)
{
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

char *place_in(warp &own, const instruction &at, uint64_t offset, size_t bytes, char *begin, size_t size)
{
    if (offset > size || bytes > size - offset)
        own.stop(at, "address " + hex(offset) + " is outside of " + std::to_string(size) + " bytes");
    return begin + offset;
}

char *shared_place(warp &own, const instruction &at, int lane, uint64_t offset, size_t bytes, access kind)
{
    shared_memory &shared = own.home.shared;
    char *place = place_in(own, at, offset, bytes, shared.data(), shared.size());
    const int other = shared.touch(offset, bytes, own.first_thread + lane, kind, at.line);
    if (other != 0)
        own.stop(at, "thread " + std::to_string(own.first_thread + lane) + " races for shared memory at " +
                         hex(offset) + " with line " + std::to_string(other));
    return place;
}

char *device_place(warp &own, const instruction &at, uint64_t address, size_t bytes)
{
    if (address < own.memory_begin || address + bytes > own.memory_end) {
        own.memory_begin = address;
        own.memory_end = own.launch.memory.end_at(address);
        if (address + bytes > own.memory_end)
            own.stop(at, "no memory of the device is at " + hex(address));
    }
    return reinterpret_cast<char *>(address);
}

// Where a lane's access goes.
char *place_of(warp &own, const instruction &at, size_t operand, int lane, size_t bytes, access kind)
{
    uint64_t address = at.size[operand] == 4 ? uint64_t(lane_value<uint32_t>::read(own.frame + at.at[operand], lane))
                                             : lane_value<uint64_t>::read(own.frame + at.at[operand], lane);
    address += uint64_t(at.displacement);
    if (address % bytes != 0)
        own.stop(at, "address " + hex(address) + " is not aligned");
    space where = at.where;
    if (where == space::generic) {
        const uint64_t window = address & window_mask;
        where = window == shared_window  ? space::shared
                : window == local_window ? space::local
                : window == param_window ? space::param
                                         : space::global;
        address &= where == space::global ? ~uint64_t(0) : ~window_mask;
    }
    switch (where) {
    case space::shared:
        return shared_place(own, at, lane, address, bytes, kind);
    case space::local:
        return place_in(own, at, address, bytes, own.local(lane), own.launch.kernel.local_bytes);
    case space::param:
        if (kind != access::read)
            own.stop(at, "a parameter of a kernel is written");
        return place_in(own, at, address, bytes, const_cast<char *>(own.launch.params.data()),
                        own.launch.params.size());
    default:
        return device_place(own, at, address, bytes);
    }
}

template <class T>
T value_at(const char *place)
{
    T value;
    std::memcpy(&value, place, sizeof value);
    return value;
}

// What a register gets: extended to its width.
int64_t widened(const char *place, const instruction &at)
{
    switch (at.bytes) {
    case 1:
        return at.is_signed ? value_at<int8_t>(place) : value_at<uint8_t>(place);
    case 2:
        return at.is_signed ? value_at<int16_t>(place) : value_at<uint16_t>(place);
    case 4:
        return at.is_signed ? value_at<int32_t>(place) : value_at<uint32_t>(place);
    default:
        return value_at<int64_t>(place);
    }
}

void load(warp &own, const instruction &at, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        const size_t address = at.elements;
        const char *place = place_of(own, at, address, lane, size_t(at.bytes) * at.elements, access::read);
        for (size_t i = 0; i < at.elements; ++i)
            write_part(own.frame, at, i, lane, widened(place + i * at.bytes, at));
    }
}

void store(warp &own, const instruction &at, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        char *place = place_of(own, at, 0, lane, size_t(at.bytes) * at.elements, access::write);
        for (size_t i = 0; i < at.elements; ++i)
            std::memcpy(place + i * at.bytes, own.frame + at.at[i + 1] + size_t(lane) * at.size[i + 1], at.bytes);
    }
}

// Blocks run at once on several threads of the host.
template <class T, class F>
void change(warp &own, const instruction &at, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        const std::atomic_ref<T> cell(*reinterpret_cast<T *>(place_of(own, at, 1, lane, sizeof(T), access::atomic)));
        const T given = lane_value<T>::read(own.frame + at.at[2], lane);
        T before = cell.load();
        while (!cell.compare_exchange_weak(before, F{}(before, given))) {
        }
        std::memcpy(own.frame + at.at[0] + size_t(lane) * sizeof(T), &before, sizeof before);
    }
}

template <class T, class F>
void define_atomic(operation_table &table, const std::string &name, F)
{
    std::vector<std::string> types = {"." + type_name<T>()};
    if (std::is_unsigned_v<T>)
        types.push_back(".b" + std::to_string(8 * sizeof(T)));
    for (const std::string &type : types)
        table["atom." + name + type] = {&change<T, F>, {sizeof(T), any, sizeof(T)}};
}

// Four 8 x 8 matrices of 16-bit elements: a lane's address is that of a row of 16 bytes, and it gets two elements of
// the row that its number divided by 4 says, of each matrix.
void load_matrices(warp &own, const instruction &at, lane_mask mask)
{
    constexpr size_t row_bytes = 16;
    constexpr size_t matrices = 4;
    if (mask != all_lanes)
        own.stop(at, "not all threads of the warp are here");
    const char *rows[lanes];
    for (int lane = 0; lane < lanes; ++lane)
        rows[lane] = place_of(own, at, matrices, lane, row_bytes, access::read);
    for (size_t matrix = 0; matrix < matrices; ++matrix)
        for (size_t lane = 0; lane < lanes; ++lane)
            std::memcpy(own.frame + at.at[matrix] + lane * 4, rows[8 * matrix + lane / 4] + lane % 4 * 4, 4);
}

} // namespace

void define_memory_operations(operation_table &table)
{
    table["ld"] = {&load, {}};
    table["st"] = {&store, {}};
    table["ldmatrix.sync.aligned.m8n8.x4"] = {&load_matrices, {4, 4, 4, 4, any}};
    for_types<int32_t, uint32_t, int64_t, uint64_t>([&]<class T>() {
        define_atomic<T>(table, "add", [](T x, T y) { return T(uint64_t(x) + uint64_t(y)); });
        define_atomic<T>(table, "min", [](T x, T y) { return std::min(x, y); });
        define_atomic<T>(table, "max", [](T x, T y) { return std::max(x, y); });
        define_atomic<T>(table, "or", [](T x, T y) { return T(x | y); });
        define_atomic<T>(table, "and", [](T x, T y) { return T(x & y); });
        define_atomic<T>(table, "exch", [](T, T y) { return y; });
    });
}

} // namespace test::ptx

// SPDX-License-Identifier: MIT
// Loads, stores and atomics. Addresses must be aligned and lie in live memory, and accesses to shared memory must not
// race.
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

char *pointer_in(warp &self, const instruction &op, uint64_t offset, size_t bytes, char *begin, size_t size)
{
    if (offset > size || bytes > size - offset)
        self.stop(op, "address " + hex(offset) + " is outside of " + std::to_string(size) + " bytes");
    return begin + offset;
}

char *shared_pointer(warp &self, const instruction &op, int lane, uint64_t offset, size_t bytes, access kind)
{
    shared_memory &shared = self.home.shared;
    char *pointer = pointer_in(self, op, offset, bytes, shared.data(), shared.size());
    const int other = shared.touch(offset, bytes, self.first_thread + lane, kind, op.line);
    if (other != 0)
        self.stop(op, "thread " + std::to_string(self.first_thread + lane) + " races for shared memory at " +
                          hex(offset) + " with line " + std::to_string(other));
    return pointer;
}

char *device_pointer(warp &self, const instruction &op, uint64_t address, size_t bytes)
{
    if (address < self.memory_begin || address + bytes > self.memory_end) {
        self.memory_begin = address;
        self.memory_end = self.launch.memory.end_at(address);
        if (address + bytes > self.memory_end)
            self.stop(op, "no memory of the device is at " + hex(address));
    }
    return reinterpret_cast<char *>(address);
}

// The host address of a lane's access.
char *pointer_of(warp &self, const instruction &op, size_t operand, int lane, size_t bytes, access kind)
{
    uint64_t address = op.size[operand] == 4
                           ? uint64_t(lane_value<uint32_t>::read(self.frame + op.offset[operand], lane))
                           : lane_value<uint64_t>::read(self.frame + op.offset[operand], lane);
    address += uint64_t(op.displacement);
    if (address % bytes != 0)
        self.stop(op, "address " + hex(address) + " is not aligned");
    space where = op.where;
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
        return shared_pointer(self, op, lane, address, bytes, kind);
    case space::local:
        return pointer_in(self, op, address, bytes, self.local(lane), self.launch.kernel.local_bytes);
    case space::param:
        if (kind != access::read)
            self.stop(op, "a parameter of a kernel is written");
        return pointer_in(self, op, address, bytes, const_cast<char *>(self.launch.params.data()),
                          self.launch.params.size());
    default:
        return device_pointer(self, op, address, bytes);
    }
}

template <class T>
T value_at(const char *address)
{
    T value;
    std::memcpy(&value, address, sizeof value);
    return value;
}

// A loaded value, extended for the register.
int64_t widened(const char *address, const instruction &op)
{
    switch (op.bytes) {
    case 1:
        return op.is_signed ? value_at<int8_t>(address) : value_at<uint8_t>(address);
    case 2:
        return op.is_signed ? value_at<int16_t>(address) : value_at<uint16_t>(address);
    case 4:
        return op.is_signed ? value_at<int32_t>(address) : value_at<uint32_t>(address);
    default:
        return value_at<int64_t>(address);
    }
}

void load(warp &self, const instruction &op, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        const size_t address = op.elements;
        const char *pointer = pointer_of(self, op, address, lane, size_t(op.bytes) * op.elements, access::read);
        for (size_t i = 0; i < op.elements; ++i)
            write_part(self.frame, op, i, lane, widened(pointer + i * op.bytes, op));
    }
}

void store(warp &self, const instruction &op, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        char *pointer = pointer_of(self, op, 0, lane, size_t(op.bytes) * op.elements, access::write);
        for (size_t i = 0; i < op.elements; ++i)
            std::memcpy(pointer + i * op.bytes, self.frame + op.offset[i + 1] + size_t(lane) * op.size[i + 1],
                        op.bytes);
    }
}

// Atomic on the host too, whose threads run blocks concurrently.
template <class T, class F>
void change(warp &self, const instruction &op, lane_mask mask)
{
    for (int lane = 0; lane < lanes; ++lane) {
        if (!(mask >> lane & 1))
            continue;
        const std::atomic_ref<T> cell(*reinterpret_cast<T *>(pointer_of(self, op, 1, lane, sizeof(T), access::atomic)));
        const T operand = lane_value<T>::read(self.frame + op.offset[2], lane);
        T before = cell.load();
        while (!cell.compare_exchange_weak(before, F{}(before, operand))) {
        }
        std::memcpy(self.frame + op.offset[0] + size_t(lane) * sizeof(T), &before, sizeof before);
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

// Four 8 x 8 matrices of 16-bit elements. A lane passes the address of a row of 16 bytes; it gets two elements of row
// lane / 4 of each matrix.
void load_matrices(warp &self, const instruction &op, lane_mask mask)
{
    constexpr size_t row_bytes = 16;
    constexpr size_t matrices = 4;
    if (mask != all_lanes)
        self.stop(op, "not all threads of the warp are here");
    const char *rows[lanes];
    for (int lane = 0; lane < lanes; ++lane)
        rows[lane] = pointer_of(self, op, matrices, lane, row_bytes, access::read);
    for (size_t matrix = 0; matrix < matrices; ++matrix)
        for (size_t lane = 0; lane < lanes; ++lane)
            std::memcpy(self.frame + op.offset[matrix] + lane * 4, rows[8 * matrix + lane / 4] + lane % 4 * 4, 4);
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

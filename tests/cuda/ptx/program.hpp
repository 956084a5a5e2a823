// SPDX-License-Identifier: MIT
// A kernel that is ready to run. Registers lie in the frame of their warp: an array of 32 lanes' values, or, for a
// predicate, a word with a bit for each lane. Literals are registers that never change.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "cuda/ptx/source.hpp"

namespace test::ptx {

class warp;
struct instruction;

constexpr int lanes = 32;
using lane_mask = uint32_t; // bit i: lane i
constexpr lane_mask all_lanes = 0xffffffffu;

// Executes an instruction for the lanes of the mask, which is not 0.
using handler = void (*)(warp &, const instruction &, lane_mask);

enum class flow : uint8_t { next, branch, barrier, leave, call };
enum class space : uint8_t { generic, global, shared, local, param };

constexpr int most_operands = 14;

struct program;

struct instruction {
    handler run = nullptr;
    flow kind = flow::next;
    bool guarded = false, negated = false;
    uint32_t guard = 0;                           // offset of the predicate in the frame
    std::array<uint32_t, most_operands> offset{}; // of the operands in the frame; vectors have one for each element
    std::array<uint8_t, most_operands> size{};    // bytes of a lane; 0: a predicate
    int operands = 0;

    // For accesses to memory: the space, `elements` of `bytes` each, and the displacement from the address.
    space where = space::generic;
    bool is_signed = false;
    uint8_t elements = 1, bytes = 0;
    int64_t displacement = 0;

    int line = 0;
    int target = 0; // of a branch: the index of an instruction; of a call: its index in `calls`
};

struct call {
    const program *callee;
    std::vector<std::array<uint32_t, 3>> arguments, results; // bytes of a lane, source offset, target offset
};

// Offsets of special registers, which begin the frame; registers and literals follow.
namespace special {
constexpr uint32_t tid = 0, ntid = 128, ctaid = 256, nctaid = 384, lane = 512, local = 640, end = 896;
}

struct program {
    std::string name;
    std::vector<instruction> code;
    std::vector<std::string> text; // of each instruction
    std::vector<call> calls;
    size_t frame_bytes = 0;
    size_t literals_at = 0;
    std::vector<char> literals;
    size_t own_local_bytes = 0, local_bytes = 0; // of a thread; with those of called functions
    size_t static_shared_bytes = 0, param_bytes = 0;
    int most_threads = 1024;
    std::vector<std::array<uint32_t, 2>> parameters, results; // of a function: bytes of a lane, offset

    const std::string &text_of(const instruction &op) const { return text[size_t(&op - code.data())]; }
};

// The functions of a file by name; each is made when it is first used.
class library {
public:
    explicit library(const std::string &text) : source_(parse(text)) {}

    const module_source &source() const { return source_; }
    const program &get(const std::string &name);

private:
    module_source source_;
    std::map<std::string, std::unique_ptr<program>> made_;
};

// The handler of an opcode, and the bytes of a lane of each operand: 0 for a predicate, `any` if the register may be
// wider than the value.
constexpr uint8_t any = 255;
struct operation {
    handler run;
    std::vector<uint8_t> sizes;
};
using operation_table = std::map<std::string, operation, std::less<>>;

void define_arithmetic(operation_table &table);
void define_conversions(operation_table &table);
void define_warp_operations(operation_table &table);
void define_memory_operations(operation_table &table);

} // namespace test::ptx

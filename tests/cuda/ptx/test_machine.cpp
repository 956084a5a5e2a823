// SPDX-License-Identifier: MIT
// The machine itself: results that the PTX ISA defines, faults that it must find, and the limits of launches.
#include <cstring>

#include "cuda/psnr/squared_error_general.h"
#include "cuda/ptx/device.hpp"
#include "support/catch.hpp"

using namespace test::ptx;

namespace {

// Runs a body, which gets the thread's number in %r1 and leaves the thread's result in %r2.
std::vector<uint32_t> run(const std::string &body, unsigned threads = 32)
{
    const std::string text = ".version 9.0\n.target sm_90\n.address_size 64\n"
                             ".visible .entry k(\n.param .align 8 .b8 k_param_0[8]\n)\n.maxntid 1024, 1, 1\n{\n"
                             ".reg .pred %p<8>;\n.reg .b16 %rs<8>;\n.reg .b32 %r<32>;\n.reg .b64 %rd<16>;\n"
                             ".reg .f32 %f<8>;\n.reg .f64 %fd<8>;\n.shared .align 16 .b8 memory[256];\n"
                             "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [k_param_0];\n"
                             "mul.wide.u32 %rd2, %r1, 4;\nadd.s64 %rd1, %rd1, %rd2;\n" +
                             body + "\nst.global.u32 [%rd1], %r2;\nret;\n}\n";
    library functions(text);
    std::vector<uint32_t> results(threads);
    const auto address = reinterpret_cast<uint64_t>(results.data());
    std::vector<char> params(sizeof address);
    std::memcpy(params.data(), &address, sizeof address);
    const live_memory memory(std::map<uint64_t, size_t>{{address, threads * sizeof(uint32_t)}});
    tally counts;
    block().run({functions.get("k"), 1, threads, 0, params, memory}, 0, counts);
    return results;
}

uint32_t first_word(const std::string &body)
{
    return run(body)[0];
}

std::string fault_of(const std::string &body, unsigned threads = 32)
{
    try {
        run(body, threads);
        return "";
    } catch (const fault &why) {
        return why.what();
    }
}

bool says(const std::string &text, const char *part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("integers and their carries", "[machine]")
{
    // 2^32 - 1 = 0x0_ffffffff: a borrow makes the carry 0, and the next difference takes one away.
    CHECK(first_word("sub.cc.u32 %r3, 0, 1; subc.u32 %r2, 1, 0;") == 0);
    CHECK(first_word("sub.cc.u32 %r3, 1, 1; subc.u32 %r2, 1, 0;") == 1);
    CHECK(first_word("add.cc.u32 %r3, -1, 1; addc.u32 %r2, 5, 0;") == 6);
    CHECK(first_word("add.cc.u32 %r3, -1, 0; addc.u32 %r2, 5, 0;") == 5);
    CHECK(first_word("mad.lo.cc.u32 %r3, 65536, 65536, -1; madc.hi.u32 %r2, 65536, 65536, 0;") == 1);
    CHECK(first_word("mad.lo.cc.u32 %r3, 65536, 65537, -65536; madc.hi.u32 %r2, 65536, 65537, 0;") == 2);
    CHECK(first_word("mul.hi.s32 %r2, -1, 5;") == 0xffffffffu);
    CHECK(first_word("mul.hi.u32 %r2, -1, 5;") == 4);
    CHECK(first_word("div.s32 %r2, -7, 2;") == uint32_t(-3));
    CHECK(first_word("rem.s32 %r2, -7, 2;") == uint32_t(-1));
    CHECK(first_word("shr.s32 %r2, -8, 40;") == 0xffffffffu);
    CHECK(first_word("shl.b32 %r2, 1, 32;") == 0);
    CHECK(first_word("shf.l.wrap.b32 %r2, 0x80000000, 1, 1;") == 3);
    CHECK(first_word("shf.r.clamp.b32 %r2, 7, 9, 40;") == 9);
    CHECK(first_word("prmt.b32 %r2, 0x03020100, 0x07060504, 0x7150;") == 0x07010500);
    CHECK(first_word("bfi.b32 %r2, 0xf, 0, 4, 2;") == 0x30);
    CHECK(first_word("clz.b32 %r2, 1;") == 31);
    CHECK(first_word("dp4a.u32.u32 %r2, 0x01020304, 0x05060708, 100;") == 100 + 4 * 8 + 3 * 7 + 2 * 6 + 1 * 5);
    CHECK(first_word("dp2a.lo.u32.u32 %r2, 0x00020003, 0x05060708, 100;") == 100 + 3 * 8 + 2 * 7);
}

TEST_CASE("floating-point numbers, and what is none", "[machine]")
{
    const auto bits = [](const std::string &body) {
        return first_word(body + " mov.b32 %r2, %f1;");
    };
    CHECK(bits("add.rn.f32 %f1, 0f7F800000, 0fFF800000;") == 0x7fffffffu); // infinity - infinity
    CHECK(bits("div.rn.f32 %f1, 0f00000000, 0f00000000;") == 0x7fffffffu);
    CHECK(bits("cvt.rn.f32.f64 %f1, 0dFFF8000000000000;") == 0x7fffffffu);
    CHECK(bits("min.f32 %f1, 0f7FC00000, 0f3F800000;") == 0x3f800000u); // the operand that is a number
    CHECK(bits("max.f32 %f1, 0f80000000, 0f00000000;") == 0);
    CHECK(bits("fma.rn.f32 %f1, 0f3F800001, 0f3F800001, 0fBF800002;") == 0x28800000u); // exactly 2^-46
}

TEST_CASE("conversions round and stop at the ends", "[machine]")
{
    const auto to_int = [](const std::string &value) {
        return first_word("cvt.rni.s32.f32 %r2, " + value + ";");
    };
    CHECK(to_int("0f40200000") == 2);           // 2.5
    CHECK(to_int("0f40600000") == 4);           // 3.5
    CHECK(to_int("0f501502F9") == 0x7fffffffu); // 1e10
    CHECK(to_int("0f7FC00000") == 0);
    CHECK(first_word("cvt.rzi.s32.f64 %r2, 0d7FF8000000000000;") == 0x80000000u);
    CHECK(first_word("mov.u16 %rs1, 0x3555; cvt.f32.f16 %f1, %rs1; mov.b32 %r2, %f1;") == 0x3eaaa000u);
    CHECK(first_word("mov.u16 %rs1, 1; cvt.f32.f16 %f1, %rs1; mov.b32 %r2, %f1;") == 0x33800000u); // 2^-24
    CHECK(first_word("mov.u16 %rs1, 0x80; cvt.s16.s8 %rs1, %rs1; cvt.s32.s16 %r2, %rs1;") == uint32_t(-128));
}

TEST_CASE("threads diverge and meet", "[machine]")
{
    // Each thread loops as often as its number says; then all meet at a barrier and read a neighbour's result.
    const auto results = run("mov.u32 %r2, 0;\n$turn:\nsetp.ge.u32 %p1, %r2, %r1;\n@%p1 bra $end;\n"
                             "add.s32 %r2, %r2, 1;\nbra.uni $turn;\n$end:\nbar.sync 0;\n"
                             "shfl.sync.bfly.b32 %r2|%p2, %r2, 1, 31, -1;",
                             64);
    for (uint32_t i = 0; i < 64; ++i)
        CHECK(results[i] == (i ^ 1));
}

TEST_CASE("fragments lie as the ISA lays them out", "[machine]")
{
    // A has 3 at row 10, column 22: register 3 of lane 9, byte 2. B has 5 at row 22, column 3: register 1 of lane 13,
    // byte 2. Their product is at row 10, column 3: register 3 of lane 9.
    const std::string fill = "setp.eq.u32 %p1, %r1, 9; selp.b32 %r3, 0x30000, 0, %p1;\n"
                             "setp.eq.u32 %p2, %r1, 13; selp.b32 %r4, 0x50000, 0, %p2;\n";
    const auto wide = run(fill + "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r5, %r6, %r7, %r2}, "
                                 "{0, 0, 0, %r3}, {0, %r4}, {1, 1, 1, 1};");
    // On Turing: row 2, column 6 is byte 2 of lane 9; row 6, column 3 is byte 2 of lane 13; the sum is at row 2.
    const auto narrow = run(fill + "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%r5, %r2}, {%r3}, {%r4}, {1, 1};");
    for (uint32_t i = 0; i < 32; ++i) {
        CHECK(wide[i] == (i == 9 ? 16u : 1u));
        CHECK(narrow[i] == (i == 9 ? 16u : 1u));
    }
}

TEST_CASE("what kernels may not do stops them", "[machine]")
{
    const std::string setup = "mov.u32 %r3, memory; shl.b32 %r4, %r1, 2; add.s32 %r4, %r3, %r4; mov.u32 %r2, 0;\n";
    CHECK(fault_of(setup + "st.shared.u32 [%r4], %r1; ld.shared.u32 %r2, [%r4];").empty());
    CHECK(says(fault_of(setup + "st.shared.u32 [%r3], %r1;"), "races"));
    CHECK(says(fault_of(setup + "st.shared.u32 [%r4], %r1; ld.shared.u32 %r2, [%r3];"), "races"));
    CHECK(fault_of(setup + "st.shared.u32 [%r4], %r1; bar.sync 0; ld.shared.u32 %r2, [%r3];").empty());
    CHECK(fault_of(setup + "atom.shared.add.u32 %r5, [%r3], 1; bar.sync 0; ld.shared.u32 %r2, [%r3];").empty());
    CHECK(says(fault_of(setup + "atom.shared.add.u32 %r5, [%r3], 1; ld.shared.u32 %r2, [%r3];"), "races"));
    // Threads may write different bytes of one word.
    CHECK(fault_of(setup + "add.s32 %r4, %r3, %r1; st.shared.u8 [%r4], %r1; ld.shared.u8 %r2, [%r4];").empty());
    CHECK(
        says(fault_of(setup + "add.s32 %r4, %r3, %r1; st.shared.u8 [%r4], %r1; ld.shared.u8 %r2, [%r4+1];"), "races"));
    CHECK(says(fault_of(setup + "ld.shared.u32 %r2, [%r3+256];"), "outside"));
    CHECK(says(fault_of(setup + "ld.shared.v2.u32 {%r2, %r5}, [%r3+4];"), "not aligned"));
    CHECK(says(fault_of("ld.global.u32 %r2, [%rd1+128];"), "no memory"));
    CHECK(says(fault_of("mov.u32 %r2, 0; setp.eq.u32 %p1, %r1, 3; @%p1 bra $out; bar.sync 0;\n$out:\nbar.sync 0;"),
               "divergent"));
    CHECK(says(fault_of("mov.u32 %r2, 0; setp.lt.u32 %p1, %r1, 32; @%p1 bra $out; bar.sync 0; bar.sync 0;\n$out:\n"
                        "@!%p1 bra $end; bar.sync 0;\n$end:\n",
                        64),
               "divergent"));
    CHECK(says(fault_of("setp.eq.u32 %p1, %r1, 3; @%p1 shfl.sync.bfly.b32 %r2|%p2, %r1, 1, 31, -1;"), "names"));
    CHECK(says(fault_of("frobnicate.u32 %r2, %r1;"), "does not know"));
    CHECK(says(fault_of("add.s32 %r2, %r1, %rd1;"), "another size"));
    CHECK(says(fault_of("$on:\nbra.uni $on;\n"), "does not end"));
}

TEST_CASE("launches keep to the limits of the architecture", "[machine]")
{
    struct limit {
        int architecture;
        size_t bytes;
    };
    auto &machine = device::get();
    const kernel_entry tables = {"iqa::cuda::count_in_tables<iqa::cuda::integer_labels>", 2400};
    const std::vector<char> arguments(tables.arguments_size);
    const auto refusal = [&](unsigned threads, size_t bytes) {
        return machine.launch(tables, {{1, 1, 1}, {threads, 1, 1}, bytes, arguments.data()}) ? ""
                                                                                             : machine.last_fault();
    };
    for (const limit &each :
         {limit{75, 65536}, {80, 166912}, {86, 101376}, {90, 232448}, {100, 232448}, {120, 101376}}) {
        machine.become(each.architecture);
        size_t static_bytes = 0;
        CHECK(machine.find_static_shared_bytes(tables, static_bytes));
        CHECK(static_bytes > 0);
        CHECK(machine.most_shared_bytes() == each.bytes);
        CHECK(says(refusal(512, 49152 - static_bytes + 1), "bytes of shared memory"));
        CHECK(!machine.allow_shared_bytes(tables, each.bytes - static_bytes + 1));
        CHECK(machine.allow_shared_bytes(tables, each.bytes - static_bytes));
        CHECK(says(refusal(512, each.bytes - static_bytes + 1), "bytes of shared memory"));
        CHECK(says(refusal(544, 0), "threads"));
        CHECK(says(refusal(0, 0), "no threads"));
    }
    machine.become(90);

    // block.h's limit of static memory, for launches with dynamic memory.
    using kernel = iqa::cuda::placed_errors<float>;
    const kernel_entry errors = {"iqa::cuda::placed_errors<float>", sizeof(kernel::arguments)};
    const std::vector<char> zeros(errors.arguments_size);
    const auto fault_with = [&](size_t bytes) {
        CHECK(!machine.launch(errors, {{1, 1, 1}, {kernel::threads, 1, 1}, bytes, zeros.data()}));
        return machine.last_fault();
    };
    CHECK(says(fault_with(0), "no memory")); // at the address in the arguments
    CHECK(says(fault_with(16), "static bytes of shared memory beside others; at most 640"));
}

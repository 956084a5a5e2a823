// SPDX-License-Identifier: MIT
// The cases that CPU and device share, on the kernels that nvcc compiled.
#include <algorithm>
#include <cstdio>
#include <string>

#include "cuda/machine/grid.hpp"
#include "cuda/places/compare.hpp"
#include "cuda/ptx/device.hpp"

using namespace test;

namespace {

// A test that ran no kernel has shown nothing.
void tell_of(size_t cases)
{
    const uint64_t issued = ptx::device::get().issued();
    std::printf("%zu cases, %.1f million instructions of warps\n", cases, double(issued) * 1e-6);
    CHECK(issued > 0);
    ptx::device::get().counts.clear();
}

void compare_all(const std::vector<device_case> &cases)
{
    for (const device_case &each : cases)
        compare(each);
    tell_of(cases.size());
}

} // namespace

TEST_CASE("SSIM of nvcc's code has the CPU's bytes", "[ssim]")
{
    compare_all(ssim_cases(false));
}

TEST_CASE("PSNR of nvcc's code has the CPU's bytes", "[psnr]")
{
    compare_all(psnr_cases(false));
    compare_all(errors_cases(false));
}

TEST_CASE("confusion counts of nvcc's code have the CPU's bytes", "[confusion]")
{
    compare_all(confusion_cases(false));
}

TEST_CASE("blocks of nvcc's code take part after part", "[parts]")
{
    compare_all(cases_of_many_parts(iqa::cuda::resident_blocks(INT64_MAX, 0, 0)));
}

TEST_CASE("FID of nvcc's code has the CPU's bits, on Hopper and on Turing", "[fid]")
{
    for (const int architecture : {75, 90}) {
        ptx::device::get().become(architecture);
        compare_all(fid_cases(architecture != 90));
    }
    for (const int64_t rows : {50, 600}) {
        const fid_outcome expected = run_fid(256, rows, false);
        CHECK(expected.parts.size() == 4);
        CHECK((run_fid(256, rows, true) == expected));
    }
    tell_of(2);
}

TEST_CASE("networks of nvcc's code have the CPU's bytes and faults", "[network]")
{
    const std::vector<network_case> cases = network_cases(false);
    for (const network_case &each : cases) {
        CAPTURE(each.name);
        CHECK((run_case(each, true) == run_case(each, false)));
    }
    for (const char *const tile : {"<2, 4, 4>", "<2, 3, 4>", "<2, 2, 4>", "<4, 1, 4>", "<4, 1, 1>"}) {
        CAPTURE(tile);
        CHECK(std::any_of(ptx::device::get().counts.begin(), ptx::device::get().counts.end(), [&](const auto &kernel) {
            return kernel.first.find("convolve" + std::string(tile)) != std::string::npos;
        }));
    }
    tell_of(cases.size());
}

TEST_CASE("KID, PRDC and the Inception Score of nvcc's code have the CPU's bits", "[tables]")
{
    const std::vector<table_case> cases = table_cases(true);
    for (const table_case &each : cases) {
        CAPTURE(each.name);
        CHECK((run_case(each, true) == run_case(each, false)));
    }
    tell_of(cases.size());
}

// SPDX-License-Identifier: MIT
// The cases that CPU and device share, on the kernels as nvcc compiled them.
#include "cuda/compare.hpp"
#include "cuda/grid.hpp"
#include "cuda/ptx/device.hpp"

using namespace test;

namespace {

void compare_all(const std::vector<device_case> &cases)
{
    CHECK(!cases.empty());
    for (const device_case &each : cases)
        compare(each);
    CHECK(!ptx::device::get().counts.empty());
}

} // namespace

TEST_CASE("SSIM of nvcc's code has the CPU's bytes", "[ssim]")
{
    compare_all(ssim_cases(false));
}

TEST_CASE("PSNR of nvcc's code has the CPU's bytes", "[psnr]")
{
    compare_all(psnr_cases(false));
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
}

TEST_CASE("KID and the Inception Score of nvcc's code have the CPU's bits", "[tables]")
{
    for (const table_case &each : table_cases(true)) {
        CAPTURE(each.name);
        CHECK((run_case(each, true) == run_case(each, false)));
    }
    CHECK(!ptx::device::get().counts.empty());
}

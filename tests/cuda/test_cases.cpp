// SPDX-License-Identifier: MIT
// CPU against CUDA: the same bytes of state and outputs. Runs on whatever place the build has: the sequential machine,
// or a GPU.
#include "catch.hpp"
#include "cuda/cases.hpp"
#include "cuda/place.hpp"

using namespace test;

namespace {

// Statuses of data at fault come from the update on the CPU, and from the state on a device.
iqa_status status_of(const case_outcome &outcome)
{
    for (const iqa_status status : outcome.statuses)
        if (status != IQA_OK)
            return status;
    return outcome.status;
}

void compare(const std::vector<device_case> &cases)
{
    if (place::missing() != nullptr) {
        WARN("skipped: " << place::missing());
        return;
    }
    for (const device_case &each : cases) {
        CAPTURE(each.name);
        const case_outcome expected = run_case(each, false);
        const case_outcome found = run_case(each, true);
        CAPTURE(expected.error, found.error);
        CHECK(status_of(expected) == status_of(found));
        CHECK((expected.state == found.state));
        if (status_of(expected) != IQA_OK)
            continue;
        REQUIRE(expected.outputs.size() == found.outputs.size());
        for (size_t i = 0; i < expected.outputs.size(); ++i) {
            CAPTURE(i);
            CHECK((expected.outputs[i] == found.outputs[i]));
        }
    }
}

} // namespace

TEST_CASE("SSIM: CPU and CUDA give the same bytes")
{
    compare(ssim_cases(false));
}

TEST_CASE("FID: CPU and CUDA give the same bytes")
{
    compare(fid_cases(false));
}

TEST_CASE("FID: the value from CUDA has the CPU's bits")
{
    if (place::missing() != nullptr)
        return;
    for (const int64_t rows : {50, 600}) {
        const fid_outcome expected = run_fid(256, rows, false);
        CHECK(expected.parts.size() == 4);
        CHECK((run_fid(256, rows, true) == expected));
    }
}

TEST_CASE("PSNR: CPU and CUDA give the same bytes")
{
    compare(psnr_cases(false));
}

TEST_CASE("confusion counts: CPU and CUDA give the same bytes")
{
    compare(confusion_cases(false));
}

TEST_CASE("a few cases of each metric", "[sanitizer]")
{
    compare(ssim_cases(true));
    compare(psnr_cases(true));
    compare(confusion_cases(true));
    compare(fid_cases(true));
}

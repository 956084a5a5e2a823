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

TEST_CASE("the values of images at fault are NaN, for those who do not ask for the status")
{
    if (place::missing() != nullptr)
        return;
    size_t cases = 0;
    for (const auto &all : {ssim_cases(true), psnr_cases(true)})
        for (const device_case &each : all) {
            const bool wanted = !each.updates.empty() && !each.updates.back().per_image.bytes.empty();
            const case_outcome found = wanted ? run_case(each, true) : case_outcome{};
            if (found.status != IQA_ERROR_NUMERIC)
                continue;
            CAPTURE(each.name, found.error);
            ++cases;
            bool some_nan = false;
            for (size_t update = 0; update < each.updates.size(); ++update) {
                const std::vector<std::byte> &values = found.outputs[6 * update]; // per_image comes first of six
                for (size_t i = 0; i + sizeof(double) <= values.size(); i += sizeof(double)) {
                    double value = 0;
                    std::memcpy(&value, &values[i], sizeof value);
                    some_nan = some_nan || value != value;
                }
            }
            CHECK(some_nan);
        }
    CHECK(cases > 0);
}

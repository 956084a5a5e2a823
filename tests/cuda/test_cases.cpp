// SPDX-License-Identifier: MIT
// CPU against CUDA: the same bytes of state and outputs. Runs on the sequential machine or on a GPU, as the build links
// it.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "cuda/machine/grid.hpp"
#include "cuda/places/compare.hpp"
#include "cuda/places/place.hpp"
#include "support/catch.hpp"

using namespace test;

namespace {

std::vector<device_case> shared_cases(bool few)
{
    const std::pair<const char *, std::vector<device_case>> metrics[] = {{"SSIM", ssim_cases(few)},
                                                                         {"PSNR", psnr_cases(few)},
                                                                         {"errors", errors_cases(few)},
                                                                         {"confusion", confusion_cases(few)},
                                                                         {"FID", fid_cases(few)}};
    std::vector<device_case> named;
    std::map<std::string, int> times;
    for (const auto &[metric, cases] : metrics)
        for (const device_case &each : cases) {
            std::string name = metric + (": " + each.name);
            if (const int time = ++times[name]; time > 1)
                name += ", case " + std::to_string(time);
            named.push_back({name, each.make, each.updates});
        }
    return named;
}

bool is_skipped()
{
    if (place::missing() == nullptr)
        return false;
    WARN("skipped: " << place::missing());
    return true;
}

void compare(const std::vector<table_case> &cases)
{
    if (is_skipped())
        return;
    for (const table_case &each : cases) {
        CAPTURE(each.name);
        const table_outcome expected = run_case(each, false);
        const table_outcome found = run_case(each, true);
        CHECK(expected.status == found.status);
        CHECK(expected.error == found.error);
        CHECK((expected == found));
    }
}

void compare(const std::vector<network_case> &cases)
{
    if (is_skipped())
        return;
    for (const network_case &each : cases) {
        CAPTURE(each.name);
        CHECK((run_case(each, true) == run_case(each, false)));
    }
}

// The number of NaNs, and the number of NaNs with other bits than `usual`.
struct nan_count {
    size_t total = 0, others = 0;

    template <class Bits>
    void add(const std::vector<std::byte> &values, Bits usual)
    {
        using number = std::conditional_t<sizeof(Bits) == sizeof(float), float, double>;
        for (size_t i = 0; i + sizeof(Bits) <= values.size(); i += sizeof(Bits)) {
            Bits bits = 0;
            std::memcpy(&bits, &values[i], sizeof bits);
            if (std::isnan(std::bit_cast<number>(bits))) {
                ++total;
                others += bits != usual;
            }
        }
    }
};

} // namespace

// Each case is a section that can run alone.
TEST_CASE("CPU and CUDA give the same bytes", "[shared]")
{
    if (is_skipped())
        return;
    static const std::vector<device_case> cases = shared_cases(false);
    for (const device_case &each : cases)
        DYNAMIC_SECTION(each.name)
        {
            compare(each);
        }
}

TEST_CASE("names of the sections", "[.names]")
{
    for (const device_case &each : shared_cases(false))
        std::printf("section: %s\n", each.name.c_str());
}

TEST_CASE("a few cases of each metric", "[sanitizer]")
{
    if (is_skipped())
        return;
    for (const device_case &each : shared_cases(true))
        compare(each);
    compare(table_cases(true));
    compare(network_cases(true));
}

// Slow threads must not see what their block's next part writes to shared memory.
TEST_CASE("blocks take part after part", "[parts]")
{
    if (is_skipped())
        return;
    for (const device_case &each : cases_of_many_parts(iqa::cuda::resident_blocks(INT64_MAX, 0, 0)))
        compare(each);
}

TEST_CASE("FID: the value from CUDA has the CPU's bits")
{
    if (is_skipped())
        return;
    for (const int64_t rows : {50, 600}) {
        const fid_outcome expected = run_fid(256, rows, false);
        CHECK(expected.parts.size() == 4);
        CHECK((run_fid(256, rows, true) == expected));
    }
}

TEST_CASE("KID, PRDC and the Inception Score: CPU and CUDA give the same bits and the same words")
{
    compare(table_cases(false));
}

TEST_CASE("networks: CPU and CUDA fill maps and outputs with the same bytes, and find the same faults")
{
    compare(network_cases(false));
}

// The whole network on the CPU: tests/metrics/network.
TEST_CASE("networks: the CPU's bytes are the same for all batches, threads and instruction sets")
{
    std::vector<std::vector<std::byte>> most; // the first output of most pictures, row after row
    for (const int64_t pictures : {32, 7, 2, 1}) {
        const std::vector<network_case> cases = network_cases_of(pictures);
        most.resize(cases.size());
        for (size_t i = 0; i < cases.size(); ++i) {
            CAPTURE(cases[i].name);
            const network_outcome expected = run_case(cases[i], false);
            REQUIRE(expected.contents.size() == 1 + cases[i].outputs.size());
            const std::vector<std::byte> &rows = expected.contents[1];
            if (most[i].empty())
                most[i] = rows;
            CHECK(std::equal(rows.begin(), rows.end(), most[i].begin()));
            for (const int isa : {IQA_ISA_BASELINE, IQA_ISA_AVX2, IQA_ISA_AVX512})
                for (const int threads : {1, 2, 3, 8}) {
                    CAPTURE(isa, threads);
                    CHECK((run_case(cases[i], false, make_context(threads, isa)) == expected));
                }
        }
    }
}

TEST_CASE("the values of images at fault are NaN, for those who do not ask for the status")
{
    if (is_skipped())
        return;
    size_t cases = 0;
    for (const auto &cases_of_metric : {ssim_cases(true), psnr_cases(true), errors_cases(true)})
        for (const device_case &each : cases_of_metric) {
            const bool wanted = !each.updates.empty() && !each.updates.back().per_image.bytes.empty();
            const case_outcome found = wanted ? run_case(each, true) : case_outcome{};
            if (found.status != IQA_ERROR_NUMERIC)
                continue;
            CAPTURE(each.name, found.error);
            ++cases;
            bool some_nan = false;
            for (size_t update = 0; update < each.updates.size(); ++update) {
                const std::vector<std::byte> &values =
                    found.outputs[6 * update]; // per_image is the first of six outputs
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

// If one processor makes both, equal bytes of CPU and device prove nothing about NaNs. The bits are IEEE 754's quiet
// NaN without sign and payload.
TEST_CASE("what is stored as NaN has the same bits, however it was made")
{
    nan_count floats;
    nan_count doubles;
    for (const auto &cases_of_metric : {ssim_cases(true), psnr_cases(true), errors_cases(true)})
        for (const device_case &each : cases_of_metric) {
            const case_outcome found = run_case(each, false);
            size_t output = 0;
            for (const case_update &update : each.updates)
                for (const case_tensor *tensor : {&update.per_image, &update.per_channel, &update.map, &update.counts,
                                                  &update.reference_gradient, &update.candidate_gradient}) {
                    const std::vector<std::byte> &values = found.outputs[output++];
                    if (tensor->dtype == IQA_FLOAT32)
                        floats.add(values, uint32_t(0x7fc00000));
                    else if (tensor->dtype == IQA_FLOAT64)
                        doubles.add(values, uint64_t(0x7ff8000000000000));
                }
        }
    CHECK(floats.total > 0);
    CHECK(floats.others == 0);
    CHECK(doubles.total > 0);
    CHECK(doubles.others == 0);
}

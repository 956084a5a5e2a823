// SPDX-License-Identifier: MIT
// The machine must notice mistakes: kernels with one change, as a mistake would make it, must fail or leave other
// bytes.
#include <algorithm>
#include <regex>

#include "cuda/places/compare.hpp"
#include "cuda/ptx/device.hpp"

using namespace test;

namespace {

using case_list = std::vector<device_case> (*)(bool);

struct mutation {
    const char *what;
    case_list cases;
    const char *kernel, *pattern, *replacement;
    int occurrence = 0; // of the match to replace, from 0; `everywhere`: all
    int architecture = 90;
};

constexpr int everywhere = -1;
constexpr char tiles[] = "iqa::cuda::ssim_tiles<float, unsigned char, 11>";
constexpr char boxes[] = "iqa::cuda::ssim_boxes_of<float, 0>";
constexpr char gradient[] = "iqa::cuda::ssim_gradient_tiles<float, 11>";
constexpr char moments[] = "iqa::cuda::add_moments<4>";
constexpr char errors[] = "iqa::cuda::plain_errors<unsigned char>";
constexpr char float_errors[] = "iqa::cuda::plain_errors<float>";
constexpr char tables[] = "iqa::cuda::count_in_tables<iqa::cuda::dense_labels<unsigned char> >";
constexpr char barrier[] = "bar\\.sync \t0;";

const mutation mutations[] = {
    {"a barrier is left out", ssim_cases, tiles, barrier, ""},
    {"another barrier is left out", ssim_cases, tiles, barrier, "", 1},
    {"threads write to one place", ssim_cases, tiles, "st\\.shared\\.f32 \t\\[%r\\d+(\\+-?\\d+)?\\]",
     "st.shared.f32 [_ZN3iqa4cuda6memoryE]"},
    {"a sum of a warp takes another lane", ssim_cases, tiles, "shfl\\.sync\\.bfly", "shfl.sync.up"},
    {"a sum is a difference", ssim_cases, tiles, "add\\.rn\\.f32", "sub.rn.f32"},
    {"products are rounded before they are added", ssim_cases, tiles,
     "fma\\.rn\\.f32 (\t%f\\d+), (%f\\d+), (%f\\d+), (%f\\d+);", "mul.rn.f32 $1, $2, $3; add.rn.f32 $1, $1, $4;",
     everywhere},
    {"a branch is taken the other way", ssim_cases, tiles, "@%p(\\d+) bra", "@!%p$1 bra"},
    {"a vector is not aligned", ssim_cases, gradient, "(ld\\.shared\\.v4\\.f32[^;]*\\+)\\d+\\]", "$0120]"},
    {"a barrier of the gradient is left out", ssim_cases, gradient, barrier, "", 5},
    {"a barrier of the boxes is left out", ssim_cases, boxes, barrier, "", 3},
    {"threads diverge at a barrier", ssim_cases, boxes, barrier, "@%p1 bra $out; bar.sync 0; $out:"},
    {"parts of fragments are exchanged", fid_cases, moments, "(mma[^{]*\\{[^}]*\\}, \\{)(%r\\d+), (%r\\d+)", "$1$3, $2",
     everywhere},
    {"rows of matrices are exchanged", fid_cases, moments, "(ldmatrix[^{]*)\\{(%r\\d+), (%r\\d+)", "$1{$3, $2",
     everywhere},
    {"a fragment of Turing is another", fid_cases, moments, "(ldmatrix[^{]*)\\{(%r\\d+), (%r\\d+)", "$1{$3, $2",
     everywhere, 75},
    {"barriers of the products are left out", fid_cases, moments, barrier, "", everywhere},
    {"features are cut rather than rounded", fid_cases, moments, "cvt\\.rni", "cvt.rzi", everywhere},
    {"a sum is not added", psnr_cases, errors, "atom\\.global\\.add\\.u64 \t(%rd\\d+), \\[([^\\]]+)\\], [^;]+;",
     "ld.global.u64 $1, [$2];"},
    {"stores go elsewhere", psnr_cases, "iqa::cuda::error_gradients<float>",
     "(st\\.(?:global\\.)?f(?:32|64) \t\\[%rd\\d+)", "$1+16777216", everywhere},
    {"carries are lost", ssim_cases, "iqa::cuda::ssim_values_kernel", "addc\\.(cc\\.)?([su]\\d+)", "add.$1$2",
     everywhere},
    {"counts are not atomic", confusion_cases, tables, "atom\\.shared\\.add\\.u32 \t(%r\\d+), \\[([^\\]]+)\\], [^;]+;",
     "st.shared.u32 [$2], $1;"},
    {"cells are too far apart", confusion_cases, "iqa::cuda::count_in_tables<iqa::cuda::dense_labels<int> >",
     "(shl\\.b32 \t%r\\d+, %r\\d+, )2;", "$013;", everywhere},
};

std::string changed(const std::string &text, const mutation &how)
{
    const std::regex pattern(how.pattern);
    if (how.occurrence == everywhere) {
        const std::string result = std::regex_replace(text, pattern, how.replacement);
        REQUIRE(result != text);
        return result;
    }
    std::sregex_iterator at(text.begin(), text.end(), pattern);
    for (int i = 0; i < how.occurrence && at != std::sregex_iterator(); ++i)
        ++at;
    REQUIRE(at != std::sregex_iterator());
    return text.substr(0, size_t(at->position())) + at->format(how.replacement) + at->suffix().str();
}

// The symptom of the change; empty if nothing shows it.
std::string fault_of(const mutation &how)
{
    for (const device_case &each : how.cases(true)) {
        const case_outcome found = run_case(each, true);
        const case_outcome expected = run_case(each, false);
        if (status_of(found) != status_of(expected))
            return each.name + ": " + found.error;
        if (found.state != expected.state || (found.status == IQA_OK && found.outputs != expected.outputs))
            return each.name + ": other bytes";
    }
    return "";
}

} // namespace

TEST_CASE("kernels with one thing changed are noticed", "[mutations]")
{
    auto &device = ptx::device::get();
    CHECK(std::size(mutations) >= 20);
    for (const mutation &each : mutations) {
        CAPTURE(each.what, each.kernel);
        device.become(each.architecture);
        const std::string text = device.text_of(each.kernel);
        device.replace(each.kernel, changed(text, each));
        const std::string fault = fault_of(each);
        device.replace(each.kernel, text);
        CHECK(!fault.empty());
    }
}

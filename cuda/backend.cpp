// SPDX-License-Identifier: MIT
#include "backend/backend.hpp"

#include "cuda/backend.hpp"
#include "cuda/machine/device.hpp"
#include "cuda/machine/ledger.hpp"
#include "cuda/machine/runtime.hpp"

namespace iqa {

namespace {

text describe()
{
    int devices = 0;
    const cuda::status code = cuda::active_runtime.device_count(&devices);
    text state;
    if (code != 0) {
        cuda::active_runtime.forget_error();
        return state << "unavailable: " << cuda::active_runtime.text(code);
    }
    int usable = 0;
    text problem; // of the first unusable device
    for (int device = devices - 1; device >= 0; --device) {
        text found;
        try {
            found = cuda::problem_of(device, cuda::abilities_of(device));
        } catch (const error &failure) {
            found = failure.message;
        }
        ++usable;
        if (!found.view().empty()) {
            --usable;
            problem = found;
        }
    }
    if (usable == 0)
        return state << "unavailable: " << (devices == 0 ? text() << "no device" : problem);
    state << "available: " << usable << (usable == 1 ? " device" : " devices");
    if (usable < devices)
        state << " of " << devices << "; " << problem;
    return state;
}

} // namespace

const char *cuda_state()
{
    static const text state = describe();
    return state.c_str();
}

const backend &cuda_backend()
{
    static constexpr backend instance = {
        .name = "cuda",
        .open = cuda::open_ledger,
        .ssim = cuda::ssim,
        .ssim_values = cuda::ssim_values,
        .ssim_slopes = cuda::ssim_slopes,
        .ssim_blocks = cuda::ssim_blocks,
        .ssim_block_values = cuda::ssim_block_values,
        .ssim_gradient = cuda::ssim_gradient,
        .ssim_and_gradient = cuda::ssim_and_gradient,
        .shrink = cuda::shrink,
        .count = cuda::count,
        .sums_of_pairs = cuda::sums_of_pairs,
        .values_of_pairs = cuda::values_of_pairs,
        .error_gradient = cuda::error_gradient,
        .clear_margin = cuda::clear_margin,
        .confusion = cuda::confusion,
        .moments = cuda::moments,
        .trace = cuda::trace,
        .kernel_means = cuda::kernel_means,
        .neighbours = cuda::neighbours,
        .split_scores = cuda::split_scores,
        .row_numbers = cuda::row_numbers,
        .fetch_row = cuda::fetch_row,
        .network_weights = cuda::network_weights,
        .network = cuda::network,
    };
    return instance;
}

} // namespace iqa

// SPDX-License-Identifier: MIT
#include "core/backend.hpp"
#include "cpu/backend.hpp"

namespace iqa {

const backend &cpu_backend()
{
    static constexpr backend instance = {
        "cpu",      nullptr,   cpu_ssim,          cpu_ssim_blocks,    cpu_ssim_gradient,
        cpu_shrink, cpu_count, cpu_squared_error, cpu_error_gradient, cpu_confusion};
    return instance;
}

} // namespace iqa

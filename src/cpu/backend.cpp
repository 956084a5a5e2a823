// SPDX-License-Identifier: MIT
#include "core/backend.hpp"
#include "cpu/backend.hpp"

namespace iqa {

const backend &cpu_backend()
{
    static constexpr backend instance = {"cpu", cpu_ssim, cpu_squared_error};
    return instance;
}

} // namespace iqa

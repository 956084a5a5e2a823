// SPDX-License-Identifier: MIT
// The tables of FID kernels, one for each instruction set that they are compiled for.
#pragma once

#include "core/fid_kernels.hpp"

namespace iqa::cpu {

namespace baseline {
extern const fid_kernels fid;
}

#if defined(__x86_64__)
namespace avx2 {
extern const fid_kernels fid;
}
namespace avx512 {
extern const fid_kernels fid;
}
namespace avx512_vnni {
extern const fid_kernels fid;
}
#endif

} // namespace iqa::cpu

// SPDX-License-Identifier: MIT
// The tables of FID kernels that this processor can run, for tests that call kernels directly.
#pragma once

#include <vector>

#include "core/context.hpp"
#include "cpu/features/kernels.hpp"
#include "support/support.hpp"

namespace iqa {
namespace baseline {
extern const fid_kernels fid;
}
namespace avx512 {
extern const fid_kernels fid;
}
} // namespace iqa

namespace test {

inline std::vector<const iqa::fid_kernels *> kernel_tables()
{
    std::vector<const iqa::fid_kernels *> tables = {&iqa::baseline::fid};
    for (const int isa : {IQA_ISA_AVX2, IQA_ISA_AVX512}) {
        const auto context = make_context(1, isa);
        const iqa::fid_kernels *best = &iqa::fid_kernels_for(*context);
        if (best != tables.back())
            tables.push_back(best);
    }
#if defined(__x86_64__)
    // The AVX-512 version without VNNI is not chosen where there is VNNI, but runs there too.
    if (std::string(tables.back()->name) == "avx512_vnni")
        tables.push_back(&iqa::avx512::fid);
#endif
    return tables;
}

} // namespace test

// SPDX-License-Identifier: MIT
// The machine's ceilings. They are measured in the same run as the benchmarks, since clocks drift by 15 % between runs.
#pragma once

namespace bench {

// float32 operations per second of one thread, a fused multiply-add counted as two. `wide` takes AVX-512 where the
// machine has it, else AVX2.
double fma_ceiling(bool wide);

// Bytes per second that one thread reads: from memory, and from a buffer of the given size.
double read_ceiling(long bytes);

} // namespace bench

// SPDX-License-Identifier: MIT
#include "support/support.hpp"

namespace test {

const int32_t device_of_tests = IQA_CPU;

} // namespace test

// SPDX-License-Identifier: MIT
#include "cuda/entry.h"

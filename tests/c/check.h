/* SPDX-License-Identifier: MIT
 * Checks for test programs in C and C++: the first one that does not hold ends the program with its place and text. */
#ifndef IQA_TESTS_CHECK_H
#define IQA_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static inline void check_that(int holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    fflush(NULL);
    _Exit(1);
}

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

#endif

/* SPDX-License-Identifier: MIT
 * An allocator that counts, checks what it is given back, and fails where it is told to. */
#ifndef IQA_TESTS_ALLOCATOR_H
#define IQA_TESTS_ALLOCATOR_H

#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "iqa_c.h"

enum { ALLOCATOR_HEADER = 64 };

typedef struct allocator {
    long made;     /* allocations asked for since the last arm() */
    long fail_at;  /* the number of the one that fails, from 1 on; 0 for none */
    int for_ever;  /* and all that follow */
    long failures; /* how many were refused */
    long alive;    /* blocks not given back */
} allocator;

static inline void *allocator_allocate(void *user, size_t bytes)
{
    allocator *self = (allocator *)user;
    ++self->made;
    if (self->fail_at != 0 && (self->made == self->fail_at || (self->for_ever && self->made > self->fail_at))) {
        ++self->failures;
        return NULL;
    }
    unsigned char *block = (unsigned char *)malloc(ALLOCATOR_HEADER + bytes);
    CHECK(block != NULL);
    *(size_t *)(void *)block = bytes;
    ++self->alive;
    /* Aligned to 16 bytes and no more, filled with what is no zero: nobody may count on luck. */
    for (size_t i = 0; i < bytes; ++i)
        block[48 + i] = 0xa5;
    return block + 48;
}

static inline void allocator_deallocate(void *user, void *memory, size_t bytes)
{
    allocator *self = (allocator *)user;
    CHECK(memory != NULL);
    unsigned char *block = (unsigned char *)memory - 48;
    CHECK(*(size_t *)(void *)block == bytes); /* the size that was asked for comes back */
    --self->alive;
    CHECK(self->alive >= 0);
    free(block);
}

static inline void allocator_arm(allocator *self, long fail_at, int for_ever)
{
    self->made = 0;
    self->failures = 0;
    self->fail_at = fail_at;
    self->for_ever = for_ever;
}

static inline iqa_context_options allocator_options(allocator *self, int32_t threads)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.allocate = allocator_allocate;
    options.deallocate = allocator_deallocate;
    options.allocator_user = self;
    return options;
}

#endif

/* SPDX-License-Identifier: MIT
 * What libstdc++.a asks of a C library later than 2.28, because it was compiled with one. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Never 1: reference counts are always atomic. */
char __libc_single_threaded = 0;

/* std::random_device asks for bits. */
uint32_t arc4random(void);
uint32_t arc4random(void)
{
    uint32_t bits;
    if (getentropy(&bits, sizeof bits) != 0)
        abort();
    return bits;
}

/* glibc 2.30. Waits by the clock that a condition variable has of itself, as libstdc++ does with older ones. */
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until)
{
    enum { second = 1000000000 };
    struct timespec now;
    struct timespec end;
    if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &end) != 0)
        abort();
    end.tv_sec += until->tv_sec - now.tv_sec;
    end.tv_nsec += until->tv_nsec - now.tv_nsec;
    if (end.tv_nsec < 0) {
        end.tv_nsec += second;
        --end.tv_sec;
    } else if (end.tv_nsec >= second) {
        end.tv_nsec -= second;
        ++end.tv_sec;
    }
    return pthread_cond_timedwait(condition, mutex, &end);
}

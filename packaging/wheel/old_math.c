/* SPDX-License-Identifier: MIT
 * The functions of libm that got a newer version than glibc 2.28 has, in their older one: the same arithmetic, with
 * errno set and matherr() looked for. The linker's --wrap sends every call here, that of archives too. */
#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#endif

#define OLD(name)                                                                                                      \
    __asm__(".symver old_" #name ", " #name "@" OLDEST);                                                               \
    double old_##name(double x);                                                                                       \
    double __wrap_##name(double x);                                                                                    \
    double __wrap_##name(double x)                                                                                     \
    {                                                                                                                  \
        return old_##name(x);                                                                                          \
    }

OLD(exp)
OLD(log)

__asm__(".symver old_pow, pow@" OLDEST);
double old_pow(double x, double y);
double __wrap_pow(double x, double y);
double __wrap_pow(double x, double y)
{
    return old_pow(x, y);
}

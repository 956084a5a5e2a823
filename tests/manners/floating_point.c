/* SPDX-License-Identifier: MIT
 * The caller's floating-point mode, each combination of rounding, flushing and traps, set before the first use and
 * after it: the results keep their bits and the caller keeps the mode. Every case has a process of its own, for threads
 * inherit the mode that they were created in. */
#include <fenv.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

#include "scenario.h"

enum { FLUSH = 0x8040, TRAPS = 0x1f80 }; /* of MXCSR: FTZ and DAZ; the masks of the six exceptions */

static scenario images;
static scenario_states expected;

static unsigned int x87_control(void)
{
    unsigned short control = 0;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    return control;
}

static void run_in_mode(int rounding, int flush, int traps, int used_before)
{
    static const int roundings[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    scenario_states states;
    iqa_context *context = scenario_context(4);
    if (used_before) {
        scenario_run_in(&images, context, &states);
        CHECK(scenario_equal(&states, &expected));
    }
    CHECK(fesetround(roundings[rounding]) == 0);
    unsigned int mode = _mm_getcsr();
    mode |= flush ? FLUSH : 0u;
    mode &= traps ? ~(unsigned int)TRAPS : ~0u;
    _mm_setcsr(mode);
    const unsigned int x87 = x87_control();
    for (int round = 0; round < 2; ++round) {
        iqa_metric *metrics[4] = {NULL, NULL, NULL, NULL};
        for (int which = 0; which < 4; ++which) {
            double value = 0.0;
            CHECK(iqa_metric_compute(NULL, &value) == IQA_ERROR_INVALID_ARGUMENT && _mm_getcsr() == mode);
            CHECK(scenario_create(context, which, &metrics[which]) == IQA_OK && _mm_getcsr() == mode);
            CHECK(iqa_metric_compute(metrics[which], &value) == IQA_ERROR_NO_DATA && _mm_getcsr() == mode);
            CHECK(scenario_update(&images, which, metrics[which]) == IQA_OK && _mm_getcsr() == mode);
            CHECK(iqa_metric_compute(metrics[which], &value) == IQA_OK && _mm_getcsr() == mode);
            states.sizes[which] = scenario_state(metrics[which], states.bytes[which]);
            CHECK(_mm_getcsr() == mode);
            iqa_metric_destroy(metrics[which]);
        }
        CHECK(scenario_equal(&states, &expected));
        CHECK(x87_control() == x87 && fegetround() == roundings[rounding]);
    }
    iqa_context_destroy(context);
    CHECK(_mm_getcsr() == mode);
}

int main(void)
{
    scenario_fill(&images);
    /* Values that differ by little and values near the smallest float: rounding and flushing would show. */
    for (int i = 0; i < SCENARIO_HEIGHT * SCENARIO_WIDTH; i += 3) {
        images.reference_floats[i] *= 1e-38f;
        images.candidate_floats[i] *= 3e-39f;
    }
    scenario_run(&images, 1, &expected);
    int modes = 0;
    for (int i = 0; i < 32; ++i, ++modes) {
        const pid_t child = fork();
        if (child == 0) {
            run_in_mode(i & 3, i >> 2 & 1, i >> 3 & 1, i >> 4);
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        if (status != 0)
            fprintf(stderr, "rounding %d, flush %d, traps %d, used before %d\n", i & 3, i >> 2 & 1, i >> 3 & 1, i >> 4);
        CHECK(status == 0);
    }
    printf("%d modes, the same bits\n", modes);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * A host that uses OpenMP itself: the library inside its parallel regions, between them, with nesting allowed and not,
 * while the environment limits threads; and with this program's OpenMP runtime being another one than the library's.
 * The bits stay. The host's settings stay too. */
#include <omp.h>

#include "scenario.h"

enum { HOST_THREADS = 3 };

static scenario images;
static scenario_states expected;
static scenario_states states[HOST_THREADS];

static void run_in_region(iqa_context *const *contexts)
{
    int granted = 0;
    int good = 0;
#pragma omp parallel num_threads(HOST_THREADS) reduction(+ : good, granted)
    {
        const int thread = omp_get_thread_num();
        scenario_run_in(&images, contexts[thread], &states[thread]);
        good += scenario_equal(&states[thread], &expected);
        ++granted;
    }
    CHECK(granted >= 1 && good == granted);
}

static long host_sum(void)
{
    long sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(HOST_THREADS)
    for (int i = 0; i < 1000; ++i)
        sum += i;
    return sum;
}

int main(void)
{
    iqa_context *contexts[HOST_THREADS];
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    const int threads = omp_get_max_threads();
    const int dynamic = omp_get_dynamic();
    const int levels = omp_get_max_active_levels();
    for (int i = 0; i < HOST_THREADS; ++i)
        contexts[i] = scenario_context(4);
    for (int round = 0; round < 3; ++round) {
        CHECK(host_sum() == 499500);
        for (int count = 1; count <= 8; ++count) {
            scenario_run(&images, count, &states[0]);
            CHECK(scenario_equal(&states[0], &expected));
        }
        run_in_region(contexts);
        CHECK(omp_get_max_threads() == threads && omp_get_dynamic() == dynamic);
        CHECK(omp_get_max_active_levels() == levels);
    }
    omp_set_max_active_levels(2); /* the host's choice, for the host's regions */
    run_in_region(contexts);
    scenario_run(&images, 4, &states[0]);
    CHECK(scenario_equal(&states[0], &expected));
    for (int i = 0; i < HOST_THREADS; ++i)
        iqa_context_destroy(contexts[i]);
    return 0;
}

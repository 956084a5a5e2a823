/* SPDX-License-Identifier: MIT
 * How many threads IQA_THREADS_ALL means, and which environment variables are refused: each case in a process of its
 * own, as the environment is read once. The bits do not depend on it. (Quotas: test_environment.cpp.)
 * Usage: thread_limits, which runs itself with the number of threads for each case. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

static const char *const names[] = {"OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "IQA_NUM_THREADS", "IQA_ISA"};

/* In the process of a case: how many threads there are, after a check of bits. */
static int run_case(int32_t threads)
{
    static scenario images;
    static scenario_states expected, states;
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    scenario_run(&images, threads, &states);
    CHECK(scenario_equal(&states, &expected));
    iqa_context *context = scenario_context(threads);
    const int count = iqa_context_thread_count(context);
    iqa_context_destroy(context);
    return count;
}

/* In the process of a case that is to be refused: 0 where the text has the variable. */
static int run_refused(const char *variable)
{
    iqa_context *context = NULL;
    CHECK(iqa_context_create(NULL, &context) == IQA_ERROR_INVALID_ARGUMENT && context == NULL);
    CHECK(strstr(iqa_context_error(NULL), variable) != NULL);
    return 0;
}

/* The exit status of this program with variables set: pairs of a number in `names` and a value. */
static int result_of(const char *program, const char *mode, int first, const char *value, int second,
                     const char *other_value)
{
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
            unsetenv(names[i]);
        setenv(names[first], value, 1);
        if (other_value != NULL)
            setenv(names[second], other_value, 1);
        execl(program, program, mode, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(int count, char **arguments)
{
    enum { NUM, LIMIT, OWN, ISA };
    const char *const self = arguments[0];
    if (count == 2 && strcmp(arguments[1], "all") == 0)
        return run_case(IQA_THREADS_ALL);
    if (count == 2 && strcmp(arguments[1], "five") == 0)
        return run_case(5);
    if (count == 2)
        return run_refused(arguments[1]);

    const int all = result_of(self, "all", NUM, "", NUM, NULL);
    cpu_set_t processors;
    CHECK(sched_getaffinity(0, sizeof processors, &processors) == 0);
    CHECK(all >= 1 && all <= CPU_COUNT(&processors));
    /* The first number of a list, where it is the smallest. */
    CHECK(result_of(self, "all", NUM, "1", NUM, NULL) == 1);
    CHECK(result_of(self, "all", NUM, " 1 , 64", NUM, NULL) == 1);
    CHECK(result_of(self, "all", NUM, "1000", NUM, NULL) == all);
    CHECK(result_of(self, "all", LIMIT, "1", NUM, "1000") == 1);
    CHECK(result_of(self, "all", LIMIT, "1000", NUM, "1") == 1);
    /* What is no number above 0 is no limit. */
    static const char *const no_numbers[] = {"0", "-1", "abc", "1abc", "1.5", "99999999999999999999", ","};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; ++i)
        CHECK(result_of(self, "all", NUM, no_numbers[i], NUM, NULL) == all);
    /* The library's own variable overrides all of it, but not what a caller asks for. */
    CHECK(result_of(self, "all", OWN, "3", NUM, "1") == 3);
    CHECK(result_of(self, "all", OWN, "", NUM, "1") == 1);
    CHECK(result_of(self, "five", OWN, "3", NUM, "1") == 5);
    CHECK(result_of(self, "five", NUM, "1", NUM, NULL) == 5);
    /* And is refused where it is none, like an instruction set that there is not. */
    static const char *const refused[] = {"0", "-1", "3,1", "abc", "1e3", "99999999999999999999"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
        CHECK(result_of(self, "IQA_NUM_THREADS", OWN, refused[i], NUM, NULL) == 0);
    CHECK(result_of(self, "IQA_ISA", ISA, "zzz", NUM, NULL) == 0);
    CHECK(result_of(self, "IQA_ISA", ISA, "AVX2", NUM, NULL) == 0);
    CHECK(result_of(self, "all", ISA, "", NUM, "1") == 1);
    CHECK(result_of(self, "all", ISA, "avx2", NUM, "1") == 1);
    printf("%d threads without limits\n", all);
    return 0;
}

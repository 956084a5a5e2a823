/* SPDX-License-Identifier: MIT
 * What belongs to the process stays as it is: locale, errno, signal handlers and masks; and a locale with a decimal
 * comma, or a storm of signals, changes nothing. Usage: environment LOCALE (found through LOCPATH) */
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

#include "scenario.h"

static scenario images;
static scenario_states expected;

static void run_same_bits(iqa_context *context)
{
    scenario_states states;
    scenario_run_in(&images, context, &states);
    CHECK(scenario_equal(&states, &expected));
}

static void check_locale(const char *name)
{
    iqa_context *context = scenario_context(2);
    iqa_metric *metric = NULL;
    iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
    char text[16];
    CHECK(setlocale(LC_ALL, name) != NULL);
    snprintf(text, sizeof text, "%.1f", 1.5);
    CHECK(strcmp(text, "1,5") == 0); /* the locale is what this test needs */
    run_same_bits(context);
    options.k1 = -0.5;
    CHECK(iqa_ssim_create(context, &options, &metric) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(iqa_context_error(context), "k1 is -0.5;") != NULL);
    CHECK(strcmp(setlocale(LC_ALL, NULL), name) == 0);
    CHECK(setlocale(LC_ALL, "C") != NULL);
    iqa_context_destroy(context);
}

static void check_errno(void)
{
    iqa_metric *metric = NULL;
    double value = 0.0;
    errno = 77;
    iqa_context *context = scenario_context(2);
    CHECK(errno == 77);
    CHECK(scenario_create(context, 0, &metric) == IQA_OK && errno == 77);
    CHECK(iqa_metric_compute(metric, &value) == IQA_ERROR_NO_DATA && errno == 77);
    CHECK(scenario_update(&images, 0, metric) == IQA_OK && errno == 77);
    CHECK(iqa_metric_compute(metric, &value) == IQA_OK && errno == 77);
    CHECK(iqa_cuda_state() != NULL && iqa_context_instruction_set(context) != NULL && errno == 77);
    iqa_metric_destroy(metric);
    iqa_context_destroy(context);
    CHECK(errno == 77);
}

/* The library's threads take no signal that is the host's business; faults they do not hide. */
static void check_worker_masks(void)
{
    const unsigned long long faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) |
                                      1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) | 1ull << (SIGSYS - 1);
    const unsigned long long never = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31; /* 32, 33: glibc's */
    int workers = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        char path[320];
        char line[256];
        unsigned long long blocked = 0;
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status = fopen(path, "r");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL)
            if (strncmp(line, "SigBlk:", 7) == 0)
                blocked = strtoull(line + 7, NULL, 16);
        fclose(status);
        CHECK((blocked | faults | never) == ~0ull && (blocked & faults) == 0);
        ++workers;
    }
    closedir(tasks);
    CHECK(workers == 3);
}

static atomic_int ticks;

static void count_tick(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&ticks, 1);
}

static void check_signals(void)
{
    struct sigaction before[65];
    sigset_t mask_before;
    sigset_t mask_after;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = count_tick;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    memset(before, 0, sizeof before);
    for (int number = 1; number < 65; ++number)
        sigaction(number, NULL, &before[number]);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_before) == 0);

    const struct itimerval storm = {{0, 1000}, {0, 1000}};
    const struct itimerval calm = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &storm, NULL) == 0);
    iqa_context *context = scenario_context(4);
    while (ticks < 100)
        run_same_bits(context);
    check_worker_masks();
    CHECK(setitimer(ITIMER_REAL, &calm, NULL) == 0);
    iqa_context_destroy(context);

    for (int number = 1; number < 65; ++number) {
        struct sigaction after;
        memset(&after, 0, sizeof after);
        sigaction(number, NULL, &after);
        CHECK(after.sa_handler == before[number].sa_handler && after.sa_flags == before[number].sa_flags);
    }
    CHECK(sigprocmask(SIG_SETMASK, NULL, &mask_after) == 0);
    for (int number = 1; number < 65; ++number)
        CHECK(sigismember(&mask_before, number) == sigismember(&mask_after, number));
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    check_signals();
    check_errno();
    check_locale(arguments[1]);
    printf("%d signals during the calls\n", ticks);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * The process ends with handles alive and workers idle: by return, by exit() from a thread, and in a handler at exit
 * that still uses the library. The status is the program's own, and nothing is printed. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

enum { STATUS = 42 };

static scenario images;
static iqa_context *context;
static iqa_metric *metrics[4];

static void use_all(void)
{
    for (int which = 0; which < 4; ++which)
        CHECK(scenario_update(&images, which, metrics[which]) == IQA_OK);
}

static void make_handles(void)
{
    context = scenario_context(4);
    for (int which = 0; which < 4; ++which)
        CHECK(scenario_create(context, which, &metrics[which]) == IQA_OK);
    use_all();
}

static void *exit_from_thread(void *unused)
{
    (void)unused;
    use_all();
    exit(STATUS);
}

static void end(int way)
{
    pthread_t thread;
    if (way == 1)
        CHECK(atexit(use_all) == 0); /* runs before the library's own end */
    make_handles();
    if (way == 2) {
        CHECK(pthread_create(&thread, NULL, exit_from_thread, NULL) == 0);
        pthread_join(thread, NULL);
    }
    exit(STATUS);
}

int main(void)
{
    scenario_fill(&images);
    for (int way = 0; way < 3; ++way) {
        int output[2];
        char text[256];
        int status = 0;
        CHECK(pipe(output) == 0);
        const pid_t child = fork();
        if (child == 0) {
            dup2(output[1], 1);
            dup2(output[1], 2);
            close(output[0]);
            close(output[1]);
            end(way);
        }
        close(output[1]);
        const ssize_t length = read(output[0], text, sizeof text - 1);
        close(output[0]);
        CHECK(waitpid(child, &status, 0) == child);
        if (length > 0)
            fprintf(stderr, "way %d printed: %.*s\n", way, (int)length, text);
        CHECK(length == 0 && WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
    }
    return 0;
}

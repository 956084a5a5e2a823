/* SPDX-License-Identifier: MIT
 * The library is loaded and unloaded a thousand times, with idle workers left behind, on this thread and on others:
 * nothing crashes and nothing grows. Usage: unload LIBRARY */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include "scenario.h"

static scenario images;
static const char *path;

static void load_use_unload(void)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    iqa_status (*create)(const iqa_context_options *, iqa_context **);
    iqa_status (*measure)(iqa_context *, const iqa_ssim_options *, const iqa_tensor *, const iqa_tensor *, double *);
    void (*destroy)(iqa_context *);
    void *address[3] = {dlsym(library, "iqa_context_create"), dlsym(library, "iqa_measure_ssim"),
                        dlsym(library, "iqa_context_destroy")};
    memcpy(&create, &address[0], sizeof create);
    memcpy(&measure, &address[1], sizeof measure);
    memcpy(&destroy, &address[2], sizeof destroy);
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    double value = 0.0;
    options.threads = 4;
    const iqa_tensor image = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    CHECK(create(&options, &context) == IQA_OK);
    CHECK(measure(context, NULL, &image, &image, &value) == IQA_OK && value == 1.0);
    destroy(context);
    CHECK(dlclose(library) == 0);
}

static void *on_thread(void *unused)
{
    (void)unused;
    load_use_unload();
    return NULL;
}

static long resident_pages(void)
{
    long total = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &total, &resident) == 2);
    fclose(file);
    return resident;
}

static int entries(const char *directory)
{
    int count = 0;
    DIR *opened = opendir(directory);
    CHECK(opened != NULL);
    while (readdir(opened) != NULL)
        ++count;
    closedir(opened);
    return count;
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    path = arguments[1];
    scenario_fill(&images);
    long pages = 0;
    int threads = 0;
    int files = 0;
    for (int cycle = 0; cycle < 1000; ++cycle) {
        load_use_unload();
        if (cycle % 10 == 0) { /* a thread whose pool ends after the library was unloaded */
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, on_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
        }
        if (cycle == 100) {
            pages = resident_pages();
            threads = entries("/proc/self/task");
            files = entries("/proc/self/fd");
        }
    }
    usleep(50000); /* idle workers meet unmapped code now or never */
    const long growth = (resident_pages() - pages) * sysconf(_SC_PAGESIZE);
    printf("900 cycles: %ld bytes more, %d threads before and %d after\n", growth, threads, entries("/proc/self/task"));
    CHECK(growth < 1 << 20);
    CHECK(entries("/proc/self/task") <= threads + 3 && entries("/proc/self/fd") == files);
    return 0;
}

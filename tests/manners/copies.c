/* SPDX-License-Identifier: MIT
 * Two copies of the library in one process, as two packages that each bundle one would have it, and a stranger that
 * exports every name of the library with a function that fails: each copy works with itself.
 * Usage: copies LIBRARY COPY STRANGER */
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

static scenario images;

typedef struct library {
    iqa_status (*context_create)(const iqa_context_options *, iqa_context **);
    void (*context_destroy)(iqa_context *);
    iqa_status (*measure_ssim)(iqa_context *, const iqa_ssim_options *, const iqa_tensor *, const iqa_tensor *,
                               double *);
    void *handle;
} library;

static void find(void *handle, const char *name, void *function)
{
    void *address = dlsym(handle, name);
    CHECK(address != NULL);
    memcpy(function, &address, sizeof address);
}

static library load(const char *path, int mode)
{
    library self;
    self.handle = dlopen(path, RTLD_NOW | mode);
    if (self.handle == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(self.handle != NULL);
    find(self.handle, "iqa_context_create", &self.context_create);
    find(self.handle, "iqa_context_destroy", &self.context_destroy);
    find(self.handle, "iqa_measure_ssim", &self.measure_ssim); /* which calls other exports */
    return self;
}

static double measure(const library *self)
{
    iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
    iqa_context *context = NULL;
    double value = 0.0;
    options.threads = 4;
    const iqa_tensor reference = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    const iqa_tensor candidate = iqa_cpu_tensor(images.candidate_bytes, IQA_UINT8, 2, images.shape);
    CHECK(self->context_create(&options, &context) == IQA_OK);
    CHECK(self->measure_ssim(context, NULL, &reference, &candidate, &value) == IQA_OK);
    self->context_destroy(context);
    return value;
}

static void use_both(char **paths, int mode)
{
    void *stranger = dlopen(paths[2], RTLD_NOW | mode);
    CHECK(stranger != NULL);
    iqa_status (*strange_compute)(const iqa_metric *, double *);
    find(stranger, "iqa_metric_compute", &strange_compute);
    CHECK(strange_compute(NULL, NULL) == -77);
    const library first = load(paths[0], mode);
    const library second = load(paths[1], mode);
    CHECK(first.handle != second.handle && first.measure_ssim != second.measure_ssim);
    const double value = measure(&first);
    CHECK(value > 0.0 && value < 1.0);
    for (int round = 0; round < 3; ++round)
        CHECK(measure(&second) == value && measure(&first) == value);
    CHECK(dlclose(first.handle) == 0 && measure(&second) == value && dlclose(second.handle) == 0);
}

int main(int count, char **arguments)
{
    const int modes[] = {RTLD_LOCAL, RTLD_GLOBAL};
    CHECK(count == 4);
    scenario_fill(&images);
    for (int i = 0; i < 2; ++i) { /* each in a process of its own: what is loaded globally stays so */
        int status = 0;
        const pid_t child = fork();
        if (child == 0) {
            use_both(arguments + 1, modes[i]);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    return 0;
}

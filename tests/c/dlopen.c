/* SPDX-License-Identifier: MIT
 * A program that links nothing of the library: loads it, finds every export, and measures.
 * Usage: dlopen LIBRARY SYMBOLS_FILE */
#include <dlfcn.h>

#include "scenario.h"

/* POSIX lets an object pointer become a function pointer; ISO C has no cast for it. */
static void find(void *library, const char *name, void *function, size_t size)
{
    void *address = dlsym(library, name);
    CHECK(address != NULL);
    memcpy(function, &address, size);
}

#define FIND(library, name) find(library, #name, &(name##_), sizeof(name##_))

int main(int count, char **arguments)
{
    static scenario images;
    iqa_status (*iqa_context_create_)(const iqa_context_options *, iqa_context **);
    void (*iqa_context_destroy_)(iqa_context *);
    iqa_status (*iqa_measure_ssim_)(iqa_context *, const iqa_ssim_options *, const iqa_tensor *, const iqa_tensor *,
                                    double *);
    uint32_t (*iqa_library_version_)(void);
    const char *(*iqa_cuda_state_)(void);
    iqa_context *context = NULL;
    char name[128];
    int names = 0;
    double value = 0.0;
    CHECK(count == 3);
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    FILE *symbols = fopen(arguments[2], "r");
    CHECK(symbols != NULL);
    for (; fgets(name, sizeof name, symbols) != NULL; ++names) {
        name[strcspn(name, "\n")] = '\0';
        CHECK(dlsym(library, name) != NULL);
    }
    fclose(symbols);
    CHECK(names > 20 && dlsym(library, "iqa_no_such_name") == NULL);

    FIND(library, iqa_context_create);
    FIND(library, iqa_context_destroy);
    FIND(library, iqa_measure_ssim);
    FIND(library, iqa_library_version);
    FIND(library, iqa_cuda_state);
    CHECK(iqa_library_version_() == IQA_VERSION);
    CHECK(strncmp(iqa_cuda_state_(), "unavailable: ", 13) == 0 || strncmp(iqa_cuda_state_(), "available: ", 11) == 0);
    scenario_fill(&images);
    const iqa_tensor reference = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    const iqa_tensor candidate = iqa_cpu_tensor(images.candidate_bytes, IQA_UINT8, 2, images.shape);
    CHECK(iqa_context_create_(NULL, &context) == IQA_OK);
    CHECK(iqa_measure_ssim_(context, NULL, &reference, &reference, &value) == IQA_OK && value == 1.0);
    CHECK(iqa_measure_ssim_(context, NULL, &reference, &candidate, &value) == IQA_OK && value > 0.0 && value < 1.0);
    iqa_context_destroy_(context);
    CHECK(dlclose(library) == 0);
    printf("%d names found, SSIM %.6f\n", names, value);
    return 0;
}

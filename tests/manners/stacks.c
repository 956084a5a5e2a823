/* SPDX-License-Identifier: MIT
 * Every entry works on a thread with a stack of 64 KiB, and of 32 KiB: results, errors, teams. The smaller one is what
 * the program's thread-local storage leaves, since glibc takes that from the stack and the CUDA runtime's is large. */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>

#include "scenario.h"

static scenario images;
static scenario_states expected;

static int32_t never_cancel(void *user, int64_t done, int64_t total)
{
    (void)user;
    return done > total;
}

static void *call_every_entry(void *unused)
{
    /* What is large lives outside this small stack. */
    static scenario_states states;
    static unsigned char state[SCENARIO_STATE_BYTES];
    static int64_t lanes[512];
    static double map[SCENARIO_HEIGHT * SCENARIO_WIDTH];
    const int64_t map_shape[2] = {SCENARIO_HEIGHT - 10, SCENARIO_WIDTH - 10};
    const int64_t one[2] = {1, 1};
    const iqa_tensor map_tensor = iqa_cpu_tensor(map, IQA_FLOAT64, 2, map_shape);
    const iqa_tensor values = iqa_cpu_tensor(map, IQA_FLOAT64, 1, one);
    const iqa_tensor channels = iqa_cpu_tensor(map, IQA_FLOAT64, 2, one);
    const iqa_tensor image = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, images.shape);
    const iqa_tensor small = iqa_cpu_tensor(images.reference_bytes, IQA_UINT8, 2, one);
    iqa_context_options options;
    iqa_ssim_options ssim_options;
    iqa_psnr_options psnr_options;
    iqa_update_extras extras;
    iqa_context *context = NULL;
    iqa_metric *ssim = NULL;
    iqa_metric *psnr = NULL;
    iqa_metric *loaded = NULL;
    double value = 0.0;
    size_t count = 0;
    (void)unused;
    CHECK(iqa_library_version() == IQA_VERSION && iqa_cuda_state() != NULL);
    CHECK(strcmp(iqa_status_name(IQA_OK), "IQA_OK") == 0);
    CHECK(iqa_context_options_init(&options, sizeof options) == IQA_OK);
    CHECK(iqa_ssim_options_init(&ssim_options, sizeof ssim_options) == IQA_OK);
    CHECK(iqa_psnr_options_init(&psnr_options, sizeof psnr_options) == IQA_OK);
    CHECK(iqa_update_extras_init(&extras, sizeof extras) == IQA_OK);
    options.threads = 4;
    options.progress = never_cancel;
    CHECK(iqa_context_create(&options, &context) == IQA_OK && iqa_context_thread_count(context) == 4);
    CHECK(iqa_context_instruction_set(context)[0] != '\0');
    scenario_run_in(&images, context, &states);
    CHECK(scenario_equal(&states, &expected));

    CHECK(iqa_ssim_create(context, &ssim_options, &ssim) == IQA_OK);
    CHECK(iqa_psnr_create(context, &psnr_options, &psnr) == IQA_OK);
    extras.map = &map_tensor;
    extras.per_image = &values;
    extras.per_channel = &channels;
    CHECK(iqa_metric_update(ssim, &image, &image, &extras) == IQA_OK);
    extras.map = NULL;
    CHECK(iqa_metric_update(psnr, &image, &image, &extras) == IQA_OK);
    CHECK(iqa_metric_update(ssim, &small, &small, NULL) == IQA_ERROR_SHAPE && iqa_context_error(context)[0] != '\0');
    CHECK(iqa_metric_compute(ssim, &value) == IQA_OK && value == 1.0);
    CHECK(iqa_metric_read(psnr, IQA_FIELD_MSE, &value, 1, &count) == IQA_OK && value == 0.0);
    CHECK(iqa_metric_lanes(psnr, lanes, 512, &count) == IQA_OK && iqa_metric_add_lanes(psnr, lanes, count) == IQA_OK);
    CHECK(iqa_metric_serialize(psnr, state, sizeof state, &count) == IQA_OK);
    CHECK(iqa_metric_deserialize(context, state, count, &loaded) == IQA_OK);
    CHECK(iqa_metric_merge(psnr, loaded) == IQA_OK && iqa_metric_merge(ssim, psnr) == IQA_ERROR_INCOMPATIBLE);
    CHECK(iqa_metric_deserialize(context, state, count - 1, &loaded) == IQA_ERROR_CORRUPT);
    CHECK(iqa_measure_ssim(context, NULL, &image, &image, &value) == IQA_OK && value == 1.0);
    CHECK(iqa_measure_psnr(context, NULL, &image, &image, &value) == IQA_OK);
    CHECK(iqa_metric_reset(ssim) == IQA_OK);
    iqa_metric_destroy(ssim);
    iqa_metric_destroy(psnr);
    iqa_context_destroy(context);
    return NULL;
}

static int add_thread_local_storage(struct dl_phdr_info *object, size_t size, void *sum)
{
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; ++i)
        if (object->dlpi_phdr[i].p_type == PT_TLS)
            *(size_t *)sum += object->dlpi_phdr[i].p_memsz + object->dlpi_phdr[i].p_align;
    return 0;
}

int main(void)
{
    size_t thread_local_storage = 0;
    dl_iterate_phdr(add_thread_local_storage, &thread_local_storage);
    scenario_fill(&images);
    scenario_run(&images, 1, &expected);
    const size_t sizes[] = {256 * 1024, 64 * 1024, 32 * 1024 + thread_local_storage};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        pthread_attr_t attributes;
        pthread_t thread;
        CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, sizes[i]) == 0);
        CHECK(pthread_create(&thread, &attributes, call_every_entry, NULL) == 0 && pthread_join(thread, NULL) == 0);
        pthread_attr_destroy(&attributes);
        printf("%zu bytes\n", sizes[i]);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT
 * Each allocation of each operation fails once, and then it and all later ones: the call says so, nothing leaks, the
 * metric is as it was, and a second try gives the bits that a first try would have given. A warm update allocates
 * nothing. */
#include "allocator.h"
#include "scenario.h"

typedef struct subject subject;

/* What the operation works on. `metric` is NULL where it makes one. */
struct subject {
    iqa_context *context;
    iqa_metric *metric;
    iqa_metric *made;
    const struct fallible *operation;
};

typedef struct fallible {
    const char *name;
    int which; /* 0 SSIM, 1 PSNR, 2 confusion */
    int32_t layout, dtype, ndim;
    int64_t shape[4], strides[4];
    int extras;      /* per image and per channel */
    int used_before; /* with one small image */
    iqa_status (*run)(subject *self);
} fallible;

enum { MOST_SAMPLES = 300 * 200 * 4 };
static double reference_samples[MOST_SAMPLES];
static double candidate_samples[MOST_SAMPLES];
static unsigned char state_to_load[2][SCENARIO_STATE_BYTES];
static size_t state_size[2];

static void fill(void *samples, int32_t dtype, uint32_t seed)
{
    for (int i = 0; i < MOST_SAMPLES; ++i) {
        const uint32_t random = scenario_random(&seed);
        if (dtype == IQA_FLOAT64)
            ((double *)samples)[i] = random % 1000u / 1000.0;
        else if (dtype == IQA_FLOAT32)
            ((float *)samples)[i] = (float)(random % 1000u) / 1000.0f;
        else if (dtype == IQA_FLOAT16) /* 1 ... 2 */
            ((uint16_t *)samples)[i] = (uint16_t)(0x3c00u | random % 1024u);
        else if (dtype == IQA_UINT16)
            ((uint16_t *)samples)[i] = (uint16_t)random;
        else
            ((uint8_t *)samples)[i] = (uint8_t)random;
    }
}

static iqa_status create(iqa_context *context, const fallible *operation, iqa_metric **out)
{
    iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    ssim.layout = psnr.layout = operation->layout;
    if (operation->dtype >= IQA_FLOAT16) {
        ssim.data_low = psnr.data_low = 0.0;
        ssim.data_high = psnr.data_high = 2.0;
    }
    return operation->which == 0 ? iqa_ssim_create(context, &ssim, out) : iqa_psnr_create(context, &psnr, out);
}

static iqa_status run_create(subject *self)
{
    return create(self->context, self->operation, &self->made);
}

static iqa_status run_create_from_text(subject *self)
{
    static const struct {
        const char *kind, *options;
    } texts[] = {{"ssim", "layout=nchw,data_range=0:2,luma=bt601_full"},
                 {"psnr", "layout=nchw,data_range=0:2,luma=bt601_full"},
                 {"confusion", "classes=5,excluded=0:3,preset=monai"}};
    const int which = self->operation->which;
    return iqa_metric_create(self->context, texts[which].kind, texts[which].options, &self->made);
}

static iqa_status run_update(subject *self)
{
    static double per_image[16], per_channel[64];
    const fallible *operation = self->operation;
    iqa_tensor reference = iqa_cpu_tensor(reference_samples, operation->dtype, operation->ndim, operation->shape);
    iqa_tensor candidate = iqa_cpu_tensor(candidate_samples, operation->dtype, operation->ndim, operation->shape);
    if (operation->strides[operation->ndim - 1] != 0)
        reference.strides = candidate.strides = operation->strides;
    if (!operation->extras)
        return iqa_metric_update(self->metric, &reference, &candidate, NULL);
    const int64_t extents[2] = {operation->shape[0], operation->shape[1]}; /* NCHW */
    const iqa_tensor images = iqa_cpu_tensor(per_image, IQA_FLOAT64, 1, extents);
    const iqa_tensor channels = iqa_cpu_tensor(per_channel, IQA_FLOAT64, 2, extents);
    iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
    extras.per_image = &images;
    extras.per_channel = &channels;
    return iqa_metric_update(self->metric, &reference, &candidate, &extras);
}

static iqa_status run_measure(subject *self)
{
    const fallible *operation = self->operation;
    const iqa_tensor reference = iqa_cpu_tensor(reference_samples, IQA_UINT8, 2, operation->shape);
    const iqa_tensor candidate = iqa_cpu_tensor(candidate_samples, IQA_UINT8, 2, operation->shape);
    double value = 0.0;
    return operation->which == 0 ? iqa_measure_ssim(self->context, NULL, &reference, &candidate, &value)
                                 : iqa_measure_psnr(self->context, NULL, &reference, &candidate, &value);
}

static iqa_status run_deserialize(subject *self)
{
    const int which = self->operation->which;
    return iqa_metric_deserialize(self->context, state_to_load[which], state_size[which], &self->made);
}

/* Moving state about needs no memory at all; were that to change, this finds the first allocation. */
static iqa_status run_moves(subject *self)
{
    unsigned char bytes[SCENARIO_STATE_BYTES];
    int64_t lanes[512];
    size_t count = 0;
    iqa_status status = iqa_metric_merge(self->metric, self->metric);
    if (status == IQA_OK)
        status = iqa_metric_serialize(self->metric, bytes, sizeof bytes, &count);
    if (status == IQA_OK)
        status = iqa_metric_lanes(self->metric, lanes, 512, &count);
    if (status == IQA_OK)
        status = iqa_metric_add_lanes(self->metric, lanes, count);
    return status;
}

static const fallible operations[] = {
    {"create SSIM", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_create},
    {"create PSNR", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_create},
    {"create SSIM from text", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_create_from_text},
    {"create PSNR from text", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_create_from_text},
    {"create confusion from text", 2, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_create_from_text},
    {"SSIM grey bytes", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {300, 200}, {0}, 0, 0, run_update},
    {"SSIM grey bytes again, larger", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {300, 200}, {0}, 0, 1, run_update},
    {"SSIM interleaved words", 0, IQA_LAYOUT_HWC, IQA_UINT16, 3, {300, 200, 3}, {0}, 0, 0, run_update},
    {"SSIM planar halves", 0, IQA_LAYOUT_CHW, IQA_FLOAT16, 3, {3, 300, 200}, {0}, 0, 0, run_update},
    {"SSIM floats by column", 0, IQA_LAYOUT_HW, IQA_FLOAT32, 2, {200, 300}, {1, 200}, 0, 0, run_update},
    {"SSIM batch of doubles", 0, IQA_LAYOUT_NCHW, IQA_FLOAT64, 4, {5, 3, 60, 50}, {0}, 1, 0, run_update},
    {"PSNR grey bytes", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {300, 200}, {0}, 0, 0, run_update},
    {"PSNR grey bytes again, larger", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {900, 600}, {0}, 0, 1, run_update},
    {"PSNR interleaved words", 1, IQA_LAYOUT_HWC, IQA_UINT16, 3, {300, 200, 3}, {0}, 0, 0, run_update},
    {"PSNR planar halves", 1, IQA_LAYOUT_CHW, IQA_FLOAT16, 3, {3, 300, 200}, {0}, 0, 0, run_update},
    {"PSNR floats by column", 1, IQA_LAYOUT_HW, IQA_FLOAT32, 2, {200, 300}, {1, 200}, 0, 0, run_update},
    {"PSNR batch of doubles", 1, IQA_LAYOUT_NCHW, IQA_FLOAT64, 4, {5, 3, 60, 50}, {0}, 1, 0, run_update},
    {"measure SSIM", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {300, 200}, {0}, 0, 0, run_measure},
    {"measure PSNR", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {300, 200}, {0}, 0, 0, run_measure},
    {"deserialize SSIM", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_deserialize},
    {"deserialize PSNR", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 0, run_deserialize},
    {"SSIM merge, serialize, lanes", 0, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 1, run_moves},
    {"PSNR merge, serialize, lanes", 1, IQA_LAYOUT_HW, IQA_UINT8, 2, {0}, {0}, 0, 1, run_moves},
};

static subject prepare(const fallible *operation, allocator *memory)
{
    subject self = {NULL, NULL, NULL, operation};
    const iqa_context_options options = allocator_options(memory, 2);
    allocator_arm(memory, 0, 0);
    CHECK(iqa_context_create(&options, &self.context) == IQA_OK);
    if (operation->run != run_update && operation->run != run_moves)
        return self;
    CHECK(create(self.context, operation, &self.metric) == IQA_OK);
    if (operation->used_before) {
        const int64_t shape[2] = {16, 16};
        const iqa_tensor small = iqa_cpu_tensor(reference_samples, IQA_UINT8, 2, shape);
        CHECK(iqa_metric_update(self.metric, &small, &small, NULL) == IQA_OK);
    }
    return self;
}

static size_t state_of(const iqa_metric *metric, unsigned char *bytes)
{
    return metric != NULL ? scenario_state(metric, bytes) : 0;
}

static void finish(subject *self, allocator *memory)
{
    iqa_context_destroy(self->context);
    iqa_metric_destroy(self->made);
    iqa_metric_destroy(self->metric);
    CHECK(memory->alive == 0);
}

/* Returns how many allocations were made to fail. */
static long check_operation(const fallible *operation)
{
    static unsigned char expected[SCENARIO_STATE_BYTES], before[SCENARIO_STATE_BYTES], after[SCENARIO_STATE_BYTES];
    allocator memory = {0};
    long faults = 0;
    fill(reference_samples, operation->dtype, 1u);
    fill(candidate_samples, operation->dtype, 2u);

    subject peaceful = prepare(operation, &memory);
    allocator_arm(&memory, 0, 0);
    CHECK(operation->run(&peaceful) == IQA_OK);
    const long allocations = memory.made;
    const size_t size = state_of(peaceful.metric != NULL ? peaceful.metric : peaceful.made, expected);
    if (operation->run == run_update) { /* warm: not one allocation more */
        allocator_arm(&memory, 1, 1);
        CHECK(operation->run(&peaceful) == IQA_OK && memory.made == 0);
    }
    finish(&peaceful, &memory);
    CHECK(allocations > 0 || operation->run == run_moves);

    for (int for_ever = 0; for_ever < 2; ++for_ever)
        for (long k = 1; k <= allocations; ++k) {
            subject self = prepare(operation, &memory);
            const size_t size_before = state_of(self.metric, before);
            allocator_arm(&memory, k, for_ever);
            CHECK(operation->run(&self) == IQA_ERROR_OUT_OF_MEMORY);
            CHECK(strstr(iqa_context_error(self.context), "out of memory: ") != NULL);
            CHECK(memory.failures == 1 && self.made == NULL);
            faults += memory.failures;
            CHECK(state_of(self.metric, after) == size_before && memcmp(before, after, size_before) == 0);
            allocator_arm(&memory, 0, 0);
            CHECK(operation->run(&self) == IQA_OK);
            const iqa_metric *result = self.metric != NULL ? self.metric : self.made;
            CHECK(state_of(result, after) == size && memcmp(expected, after, size) == 0);
            finish(&self, &memory);
        }
    return faults;
}

static void check_context(void)
{
    allocator memory = {0};
    const iqa_context_options options = allocator_options(&memory, 1);
    iqa_context *context = (iqa_context *)&memory;
    allocator_arm(&memory, 1, 1);
    CHECK(iqa_context_create(&options, &context) == IQA_ERROR_OUT_OF_MEMORY && context == NULL);
    CHECK(memory.alive == 0 && memory.failures == 1);
}

int main(void)
{
    static scenario images;
    long faults = 0;
    scenario_fill(&images);
    iqa_context *context = scenario_context(1);
    for (int which = 0; which < 2; ++which) {
        iqa_metric *metric = NULL;
        CHECK(scenario_create(context, which, &metric) == IQA_OK);
        CHECK(scenario_update(&images, which, metric) == IQA_OK);
        state_size[which] = scenario_state(metric, state_to_load[which]);
        iqa_metric_destroy(metric);
    }
    iqa_context_destroy(context);
    check_context();
    for (size_t i = 0; i < sizeof operations / sizeof *operations; ++i) {
        const long failed = check_operation(&operations[i]);
        printf("%-32s %ld faults\n", operations[i].name, failed);
        faults += failed;
    }
    printf("%ld faults in all\n", faults);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * State files: those of every released format are read for ever, and every one that is cut short or altered by a single
 * bit is refused. The files in tests/golden are written once (state DIRECTORY --write NAME) and never again.
 * Usage: state DIRECTORY */
#include <math.h>

#include "scenario.h"

typedef struct golden {
    const char *name;
    int which; /* of the scenario */
    int images;
    double value;
    uint64_t fingerprint; /* FNV-1a of the file's bytes 4 to 7 and of its options, by a program of its own */
} golden;

/* What was measured when the file was written. */
static const golden files[] = {
    {"state_v1_ssim_uint8.bin", 0, 1, 0.37881478001839097, 0x53c27a76d7d6320a},
    {"state_v1_psnr_uint8.bin", 1, 1, 14.21305143610145, 0xa4c1899c8b1098ab},
    {"state_v1_ssim_float32.bin", 2, 1, 0.37881547812310357, 0x916bf2e5f2cc678a},
    {"state_v1_psnr_float32.bin", 3, 1, 14.213051429455591, 0x7ae450d15368fd2b},
};

static iqa_context *context;

static size_t read_file(const char *directory, const char *name, unsigned char *bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    const size_t size = fread(bytes, 1, SCENARIO_STATE_BYTES, file);
    fclose(file);
    CHECK(size > 0 && size < SCENARIO_STATE_BYTES);
    return size;
}

static void write_file(const char *directory, const golden *file)
{
    static scenario images;
    unsigned char bytes[SCENARIO_STATE_BYTES];
    char path[1024];
    iqa_metric *metric = NULL;
    double value = 0.0;
    scenario_fill(&images);
    CHECK(scenario_create(context, file->which, &metric) == IQA_OK);
    CHECK(scenario_update(&images, file->which, metric) == IQA_OK && iqa_metric_compute(metric, &value) == IQA_OK);
    const size_t size = scenario_state(metric, bytes);
    iqa_metric_destroy(metric);
    snprintf(path, sizeof path, "%s/%s", directory, file->name);
    FILE *out = fopen(path, "wbx"); /* never over an older one */
    CHECK(out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
    printf("%s: %.17g\n", file->name, value);
}

static void check_readable(const golden *file, const unsigned char *bytes, size_t size)
{
    unsigned char again[SCENARIO_STATE_BYTES];
    iqa_metric *metric = NULL;
    double value = 0.0;
    double images = 0.0;
    uint64_t fingerprint = 0;
    CHECK(iqa_metric_deserialize(context, bytes, size, &metric) == IQA_OK);
    CHECK(iqa_metric_compute(metric, &value) == IQA_OK);
    CHECK(iqa_metric_read(metric, IQA_FIELD_IMAGES, &images, 1, NULL) == IQA_OK);
    if (value != file->value)
        fprintf(stderr, "%s: %.17g, expected %.17g\n", file->name, value, file->value);
    CHECK(value == file->value && images == file->images);
    CHECK(iqa_metric_fingerprint(metric, &fingerprint) == IQA_OK && fingerprint == file->fingerprint);
    CHECK(scenario_state(metric, again) == size && memcmp(bytes, again, size) == 0);
    /* It is a state like any other: a metric with the same options takes it in. */
    iqa_metric *fresh = NULL;
    CHECK(scenario_create(context, file->which, &fresh) == IQA_OK && iqa_metric_merge(fresh, metric) == IQA_OK);
    CHECK(scenario_state(fresh, again) == size && memcmp(bytes, again, size) == 0);
    iqa_metric_destroy(fresh);
    iqa_metric_destroy(metric);
}

static void check_refused(const unsigned char *bytes, size_t size)
{
    iqa_metric *metric = (iqa_metric *)(void *)&context;
    const iqa_status status = iqa_metric_deserialize(context, bytes, size, &metric);
    CHECK(status == IQA_ERROR_CORRUPT || status == IQA_ERROR_INCOMPATIBLE);
    CHECK(metric == NULL && iqa_context_error(context)[0] != '\0');
}

static long check_altered(unsigned char *bytes, size_t size)
{
    long refused = 0;
    for (size_t length = 0; length < size; ++length, ++refused) {
        unsigned char *exact = (unsigned char *)malloc(length + 1); /* reading further would be seen */
        CHECK(exact != NULL);
        memcpy(exact + 1, bytes, length);
        check_refused(exact + 1, length);
        free(exact);
    }
    bytes[size] = 0;
    check_refused(bytes, size + 1);
    for (size_t bit = 0; bit < 8 * size; ++bit, ++refused) {
        bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
        check_refused(bytes, size);
        bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
    }
    return refused + 1;
}

int main(int count, char **arguments)
{
    unsigned char bytes[SCENARIO_STATE_BYTES];
    long refused = 0;
    CHECK(count == 2 || (count == 4 && strcmp(arguments[2], "--write") == 0));
    context = scenario_context(1);
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
        if (count == 4) {
            if (strcmp(arguments[3], files[i].name) == 0)
                write_file(arguments[1], &files[i]);
            continue;
        }
        const size_t size = read_file(arguments[1], files[i].name, bytes);
        check_readable(&files[i], bytes, size);
        refused += check_altered(bytes, size);
    }
    iqa_context_destroy(context);
    printf("%ld altered states refused\n", refused);
    return 0;
}

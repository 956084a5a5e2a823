/* SPDX-License-Identifier: MIT
 * State files: those of every released format are read for ever, and every one that is cut short or altered by a single
 * bit is refused. The files in tests/golden are written once (state DIRECTORY --write NAME) and never again.
 * Usage: state DIRECTORY */
#include <math.h>

#include "scenario.h"

/* What a file was made of: one of the four of the scenario, mean errors of its images of float32, or labels or features
 * made of its images. */
enum { MADE_OF_FEATURES = 4, MADE_OF_LABELS = 5, MADE_OF_ERRORS = 6 };

typedef struct golden {
    const char *name;
    int which;
    int32_t count_field;
    int count; /* of images, rows or samples */
    double value;
    uint64_t fingerprint; /* FNV-1a of the file's bytes 4 to 7 and of its options, by a program of its own */
    int has_grown;        /* 1: states have more lanes today, so that what is written again is longer */
} golden;

/* What was measured when the file was written. */
static const golden files[] = {
    {"state_v1_ssim_uint8.bin", 0, IQA_FIELD_IMAGES, 1, 0.37881478001839097, 0x53c27a76d7d6320a, 0},
    {"state_v1_psnr_uint8.bin", 1, IQA_FIELD_IMAGES, 1, 14.21305143610145, 0xa4c1899c8b1098ab, 0},
    {"state_v1_ssim_float32.bin", 2, IQA_FIELD_IMAGES, 1, 0.37881547812310357, 0x916bf2e5f2cc678a, 0},
    {"state_v1_psnr_float32.bin", 3, IQA_FIELD_IMAGES, 1, 14.213051429455591, 0x7ae450d15368fd2b, 0},
    {"state_v1_fid.bin", MADE_OF_FEATURES, IQA_FIELD_FID_ROWS_REFERENCE, 500, 0.010117576409070805, 0x6e87565b04fc6d2a,
     1},
    {"state_v1_fid_rests.bin", MADE_OF_FEATURES, IQA_FIELD_FID_ROWS_REFERENCE, 500, 0.010117576409070805,
     0x6e87565b04fc6d2a, 0},
    {"state_v1_confusion.bin", MADE_OF_LABELS, IQA_FIELD_CONFUSION_SAMPLES, 1, 0.84161982248520706, 0xbf57b7b6f52a4e54,
     0},
    {"state_v1_errors.bin", MADE_OF_ERRORS, IQA_FIELD_IMAGES, 1, 0.075043189517672165, 0x947e7589825cd0ce, 0},
};

static iqa_context *context;

static iqa_status create(int which, iqa_metric **out)
{
    iqa_fid_options fid = IQA_FID_OPTIONS_INIT;
    iqa_errors_options errors = IQA_ERRORS_OPTIONS_INIT;
    iqa_confusion_options confusion = IQA_CONFUSION_OPTIONS_INIT;
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    fid.features = 6;
    confusion.classes = 5;
    confusion.score = IQA_SCORE_F;
    confusion.reading = &reading;
    reading.average = IQA_AVERAGE_MICRO;
    switch (which) {
    case MADE_OF_FEATURES:
        return iqa_fid_create(context, &fid, out);
    case MADE_OF_ERRORS:
        return iqa_errors_create(context, &errors, out);
    case MADE_OF_LABELS:
        return iqa_confusion_create(context, &confusion, out);
    default:
        return scenario_create(context, which, out);
    }
}

/* 500 rows of 6 floats, most of which are not on the grid; or five classes, of which the images have four. */
static iqa_status update(scenario *images, int which, iqa_metric *metric)
{
    int at;
    switch (which) {
    case MADE_OF_FEATURES:
        images->shape[0] = 500;
        images->shape[1] = 6;
        return scenario_update(images, 2, metric);
    case MADE_OF_LABELS:
        for (at = 0; at < SCENARIO_HEIGHT * SCENARIO_WIDTH; ++at) {
            images->reference_bytes[at] /= 64;
            images->candidate_bytes[at] /= 64;
        }
        return scenario_update(images, 0, metric);
    case MADE_OF_ERRORS:
        return scenario_update(images, 2, metric);
    default:
        return scenario_update(images, which, metric);
    }
}

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
    CHECK(create(file->which, &metric) == IQA_OK);
    CHECK(update(&images, file->which, metric) == IQA_OK && iqa_metric_compute(metric, &value) == IQA_OK);
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
    double count = 0.0;
    uint64_t fingerprint = 0;
    CHECK(iqa_metric_deserialize(context, bytes, size, &metric) == IQA_OK);
    CHECK(iqa_metric_compute(metric, &value) == IQA_OK);
    CHECK(iqa_metric_read(metric, file->count_field, &count, 1, NULL) == IQA_OK);
    if (value != file->value)
        fprintf(stderr, "%s: %.17g, expected %.17g\n", file->name, value, file->value);
    CHECK(value == file->value && count == file->count);
    CHECK(iqa_metric_fingerprint(metric, &fingerprint) == IQA_OK && fingerprint == file->fingerprint);
    const size_t size_again = scenario_state(metric, again);
    CHECK(file->has_grown ? size_again > size : size_again == size && memcmp(bytes, again, size) == 0);
    /* It is a state like any other: a metric with the same options takes it in. */
    unsigned char merged[SCENARIO_STATE_BYTES];
    iqa_metric *fresh = NULL;
    CHECK(create(file->which, &fresh) == IQA_OK && iqa_metric_merge(fresh, metric) == IQA_OK);
    CHECK(scenario_state(fresh, merged) == size_again && memcmp(again, merged, size_again) == 0);
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

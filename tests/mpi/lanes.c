/* SPDX-License-Identifier: MIT
 * The lanes of a state, summed over processes by MPI's own MPI_SUM, are the state of one process that saw all images:
 * the same bytes when serialised, on every rank. Their fingerprints tell first that all are of one configuration. */
#include <mpi.h>

#include "scenario.h"

enum { IMAGES = 11 };

/* Image `index` of the data set: the scenario with its bytes turned by the index. */
static void turn(scenario *images, int index)
{
    scenario_fill(images);
    for (int i = 0; i < SCENARIO_HEIGHT * SCENARIO_WIDTH; ++i) {
        images->candidate_bytes[i] = (uint8_t)(images->candidate_bytes[i] + (i % (index + 2) == 0));
        images->candidate_floats[i] += (float)index * 1e-3f * (float)(i % 3);
    }
}

static void add_images(iqa_metric *metric, int which, int first, int step)
{
    static scenario images;
    for (int index = first; index < IMAGES; index += step) {
        turn(&images, index);
        CHECK(scenario_update(&images, which, metric) == IQA_OK);
    }
}

/* Whether all ranks have the same fingerprint: the least of it is the largest, which is what is left of the least of
 * its complement. */
static int agree(uint64_t fingerprint)
{
    int64_t ends[2] = {(int64_t)fingerprint, (int64_t)~fingerprint};
    CHECK(MPI_Allreduce(MPI_IN_PLACE, ends, 2, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD) == MPI_SUCCESS);
    return ends[0] == ~ends[1];
}

int main(int count, char **arguments)
{
    int rank = 0;
    int ranks = 0;
    CHECK(MPI_Init(&count, &arguments) == MPI_SUCCESS);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    CHECK(ranks == 4);
    iqa_context *context = scenario_context(1);
    for (int which = 0; which < 4; ++which) {
        iqa_metric *shard = NULL;
        iqa_metric *total = NULL;
        iqa_metric *whole = NULL;
        int64_t lanes[512];
        unsigned char summed[SCENARIO_STATE_BYTES];
        unsigned char expected[SCENARIO_STATE_BYTES];
        size_t lane_count = 0;
        uint64_t fingerprint = 0;
        CHECK(scenario_create(context, which, &shard) == IQA_OK && scenario_create(context, which, &total) == IQA_OK);
        CHECK(scenario_create(context, which, &whole) == IQA_OK);
        add_images(shard, which, rank, ranks);
        CHECK(iqa_metric_lanes(shard, lanes, 512, &lane_count) == IQA_OK);
        CHECK(iqa_metric_fingerprint(shard, &fingerprint) == IQA_OK && agree(fingerprint));
        CHECK(!agree(fingerprint + (rank == which)));
        CHECK(MPI_Allreduce(MPI_IN_PLACE, lanes, (int)lane_count, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD) == MPI_SUCCESS);
        CHECK(iqa_metric_add_lanes(total, lanes, lane_count) == IQA_OK);

        add_images(whole, which, 0, 1);
        const size_t size = scenario_state(whole, expected);
        CHECK(scenario_state(total, summed) == size && memcmp(summed, expected, size) == 0);
        double from_lanes = 0.0;
        double from_images = 1.0;
        CHECK(iqa_metric_compute(total, &from_lanes) == IQA_OK && iqa_metric_compute(whole, &from_images) == IQA_OK);
        CHECK(memcmp(&from_lanes, &from_images, sizeof from_lanes) == 0);
        if (rank == 0)
            printf("%s of %s: %.17g over %d images, %zu lanes\n", which % 2 == 0 ? "SSIM" : "PSNR",
                   which < 2 ? "bytes" : "floats", from_lanes, IMAGES, lane_count);
        iqa_metric_destroy(shard);
        iqa_metric_destroy(total);
        iqa_metric_destroy(whole);
    }
    iqa_context_destroy(context);
    MPI_Finalize();
    return 0;
}

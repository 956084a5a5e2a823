// SPDX-License-Identifier: MIT
// Memory is that of the counts: it grows neither with the labels of an update nor with the updates. A warm update takes
// none. Where there is none, the update says so and changes nothing.
#include "support/catch.hpp"
#include "support/confusion.hpp"
#include "support/counting_allocator.hpp"

using namespace test;

namespace {

// A way of counting, and labels for it.
struct way {
    const char *name;
    iqa_confusion_options options;
    bool scores;
    bool weights;

    void add(confusion &metric, int64_t samples, int64_t pixels) const
    {
        random_numbers random(5);
        const int64_t classes = options.classes;
        std::vector<int32_t> reference(size_t(samples * pixels));
        for (int32_t &label : reference)
            label = int32_t(random.below(classes));
        const std::vector<double> weight(reference.size(), 0.5);
        const tensor weights_of(weight.data(), IQA_FLOAT64, {samples, pixels});
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        if (weights)
            extras.weights = weights_of;
        if (scores) {
            std::vector<float> candidate(reference.size() * size_t(classes));
            for (float &score : candidate)
                score = float(random.below(100));
            metric.add(reference, candidate, {samples, pixels}, {samples, classes, pixels}, &extras);
        } else {
            metric.add(reference, reference, {samples, pixels}, {}, &extras);
        }
    }
};

std::vector<way> ways()
{
    const auto with = [](int classes, auto change) {
        return counting(classes, [&](auto &options) {
            options.batched = 1;
            change(options);
        });
    };
    return {{"matrix", with(19, [](auto &) {}), false, false},
            {"matrix of many classes", with(700, [](auto &) {}), false, false},
            {"each class", with(60000, [](auto &o) { o.counts = IQA_COUNTS_PER_CLASS; }), false, false},
            {"samples", with(19, [](auto &o) { o.keep_samples = 1; }), false, false},
            {"weights", with(19, [](auto &o) { o.weighted = 1; }), false, true},
            {"argmax", with(19, [](auto &o) { o.candidate = IQA_LABELS_ARGMAX; }), true, false}};
}

} // namespace

TEST_CASE("memory is that of the counts, whatever is added")
{
    for (const way &each : ways())
        for (const int threads : {1, 2}) {
            CAPTURE(each.name, threads);
            counting_allocator memory;
            confusion metric(each.options, memory.make_context(threads));
            each.add(metric, 2, 1 << 17);
            REQUIRE(metric.text() == "");
            const int64_t most = memory.most;
            const int64_t made = memory.made;
            for (int repeat = 0; repeat < 3; ++repeat)
                each.add(metric, 2, 1 << 17);
            CHECK(memory.made == made); // a warm update takes none
            each.add(metric, 5, 1 << 18);
            each.add(metric, 1, 7);
            REQUIRE(metric.status == IQA_OK);
            CHECK(memory.most == most);
        }
}

TEST_CASE("each allocation may fail: nothing changes, and the next try gives the same bytes")
{
    for (const way &each : ways()) {
        CAPTURE(each.name);
        counting_allocator memory;
        confusion peaceful(each.options, memory.make_context(2));
        const std::vector<unsigned char> before = bytes_of(peaceful.metric());
        const int64_t created = memory.made;
        each.add(peaceful, 2, 1000);
        const int64_t needed = memory.made - created;
        REQUIRE(needed > 0);
        const std::vector<unsigned char> after = bytes_of(peaceful.metric());
        for (int64_t given = 0; given < needed; ++given) {
            counting_allocator scarce;
            confusion metric(each.options, scarce.make_context(2));
            scarce.refuse_from = scarce.made + given;
            each.add(metric, 2, 1000);
            CHECK(metric.status == IQA_ERROR_OUT_OF_MEMORY);
            CHECK(metric.text().find("out of memory: ") != std::string::npos);
            CHECK(bytes_of(metric.metric()) == before);
            scarce.refuse_from = INT64_MAX;
            each.add(metric, 2, 1000);
            CHECK(bytes_of(metric.metric()) == after);
        }
    }
}

// SPDX-License-Identifier: MIT
// Any sequence of calls on any handles: the input is a program for a machine with two contexts, four metrics and some
// memory. Nothing may crash or read outside; a failed call must leave its metric's bytes as they were; a failing
// allocator may strike at any time.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "iqa_c.h"
#include "requests.hpp"
#include "require.hpp"

namespace {

using namespace fuzz;

// Fails after `fuse` allocations; -1 means never.
struct failing_allocator {
    int fuse = -1;
    int64_t alive = 0;

    static void *allocate(void *user, size_t bytes)
    {
        auto *self = static_cast<failing_allocator *>(user);
        if (bytes > size_t(1) << 26 || self->fuse == 0)
            return nullptr;
        self->fuse -= self->fuse > 0;
        ++self->alive;
        return std::malloc(bytes);
    }

    static void deallocate(void *user, void *memory, size_t)
    {
        --static_cast<failing_allocator *>(user)->alive;
        std::free(memory);
    }
};

update_memory memory_of_tensors;

class machine {
public:
    machine(const uint8_t *data, size_t size) : code_(data, size) {}

    void run()
    {
        for (int step = 0; step < 64 && !code_.ended(); ++step)
            run_step();
        for (iqa_metric *metric : metrics_)
            iqa_metric_destroy(metric);
        for (iqa_context *context : contexts_)
            iqa_context_destroy(context);
        REQUIRE(memory_.alive == 0);
    }

private:
    void run_step()
    {
        const uint8_t call = code_.byte();
        iqa_context *&context = contexts_[code_.byte() % contexts_.size()];
        iqa_metric *&metric = metrics_[code_.byte() % metrics_.size()];
        iqa_metric *&other = metrics_[code_.byte() % metrics_.size()];
        switch (call % 18) {
        case 0:
            iqa_context_destroy(context);
            context = create_context();
            break;
        case 1:
        case 2:
            iqa_metric_destroy(metric);
            metric = create_metric(context, axes_[size_t(&metric - metrics_.data())]);
            break;
        case 3:
        case 4:
        case 5:
        case 6:
            unchanged_if_failed(metric, [&] {
                return update_request(code_, memory_of_tensors, axes_[size_t(&metric - metrics_.data())]).apply(metric);
            });
            break;
        case 7:
            unchanged_if_failed(metric, [&] { return iqa_metric_merge(metric, other); });
            break;
        case 8:
            unchanged_if_failed(metric, [&] { return add_lanes(metric, other); });
            break;
        case 9:
            iqa_metric_reset(metric);
            break;
        case 10:
            reload(context, metric, other);
            break;
        case 11:
            read(metric);
            break;
        case 12:
            iqa_metric_destroy(metric);
            metric = nullptr;
            break;
        case 13:
            iqa_context_destroy(context);
            context = nullptr;
            break;
        case 15:
            create_from_text(context);
            break;
        case 16:
            measure(metric, axes_[size_t(&metric - metrics_.data())]);
            break;
        case 14:
            memory_.fuse = code_.byte() % 16 - 1;
            break;
        default:
            memory_.fuse = -1;
            break;
        }
    }

    void measure(iqa_metric *metric, int32_t axes)
    {
        const std::vector<uint8_t> before = bytes_of_any(metric);
        update_request(code_, memory_of_tensors, axes).measure(metric);
        REQUIRE(bytes_of_any(metric) == before);
    }

    template <class Call>
    void unchanged_if_failed(iqa_metric *metric, Call &&call)
    {
        const std::vector<uint8_t> before = bytes_of_any(metric);
        if (call() != IQA_OK)
            REQUIRE(bytes_of_any(metric) == before);
    }

    static std::vector<uint8_t> bytes_of_any(const iqa_metric *metric)
    {
        return metric != nullptr ? bytes_of(metric) : std::vector<uint8_t>();
    }

    iqa_context *create_context()
    {
        iqa_context_options options = IQA_CONTEXT_OPTIONS_INIT;
        options.threads = code_.byte() % 5;
        options.instruction_set = code_.byte() % 5;
        options.allocate = failing_allocator::allocate;
        options.deallocate = failing_allocator::deallocate;
        options.allocator_user = &memory_;
        if (options.instruction_set == 4)
            options.instruction_set = IQA_ISA_BEST;
        options.parallel = [](void *, int32_t workers, iqa_task_function function, void *task) {
            for (int32_t worker = workers; worker-- > 0;)
                function(task, worker);
        };
        if (code_.byte() % 8 == 0) {
            cancel_at_ = code_.byte() % 8;
            options.progress_user = &cancel_at_;
            options.progress = [](void *user, int64_t done, int64_t) -> int32_t {
                return done == *static_cast<int *>(user);
            };
        }
        iqa_context *context = nullptr;
        iqa_context_create(&options, &context);
        return context;
    }

    iqa_metric *create_metric(iqa_context *context, int32_t &axes)
    {
        const image_options options(code_);
        axes = options.axes;
        iqa_metric *metric = nullptr;
        options.create(context, &metric);
        return metric;
    }

    // The text is mostly pieces of valid options.
    void create_from_text(iqa_context *context)
    {
        static const char *const kinds[] = {"ssim", "psnr", "fid", "confusion", "kid", "sssim"};
        static const char *const pieces[] = {
            "=",          ",",      ":",     " ",      "-",    "1",     "0.5",     "11",           "1e9",   "size",
            "data_range", "layout", "NCHW",  "preset", "piq",  "monai", "classes", "excluded",     "score", "iou",
            "features",   "luma",   "shave", "sigma",  "auto", "parts", "true",    "scale_weights"};
        const char *kind = kinds[code_.byte() % std::size(kinds)];
        std::string text;
        for (int length = code_.byte() % 32; length > 0; --length) {
            const uint8_t letter = code_.byte();
            if (letter < 7 * std::size(pieces))
                text += pieces[letter % std::size(pieces)];
            else
                text += char(letter);
        }
        iqa_metric *made = nullptr;
        const iqa_status status = iqa_metric_create(context, kind, text.c_str(), &made);
        REQUIRE((status == IQA_OK) == (made != nullptr));
        iqa_metric_destroy(made);
    }

    iqa_status add_lanes(iqa_metric *into, const iqa_metric *from)
    {
        size_t count = 0;
        iqa_metric_lanes(from, nullptr, 0, &count);
        std::vector<int64_t> lanes(count + 1);
        iqa_metric_lanes(from, lanes.data(), count, nullptr);
        for (int changes = code_.byte() % 4; changes > 0 && count > 0; --changes)
            lanes[code_.byte() % count] = code_.number<int64_t>();
        return iqa_metric_add_lanes(into, lanes.data(), count + code_.byte() % 2);
    }

    void reload(iqa_context *context, iqa_metric *from, iqa_metric *&to)
    {
        const std::vector<uint8_t> bytes = bytes_of_any(from);
        iqa_metric *loaded = nullptr;
        const iqa_status status = iqa_metric_deserialize(context, bytes.data(), bytes.size(), &loaded);
        REQUIRE((status == IQA_OK) == (loaded != nullptr));
        if (loaded == nullptr)
            return;
        REQUIRE(bytes_of(loaded) == bytes);
        if (&to != &metrics_[0]) // the first one keeps its state
            iqa_metric_destroy(to), to = loaded;
        else
            iqa_metric_destroy(loaded);
    }

    void read(const iqa_metric *metric)
    {
        double values[4];
        size_t count = 0;
        iqa_metric_compute(metric, values);
        iqa_metric_read(metric, code_.byte() % 16 - 1, values, code_.byte() % 5, &count);
    }

    program code_;
    failing_allocator memory_;
    int cancel_at_ = 0;
    std::array<iqa_context *, 2> contexts_{};
    std::array<iqa_metric *, 4> metrics_{};
    std::array<int32_t, 4> axes_{}; // axes of each metric's layout
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine(data, size).run();
    return 0;
}

// SPDX-License-Identifier: MIT
// Any sequence of calls on any handles: the input is a program for a machine with two contexts, four metrics and some
// memory. Nothing may crash or read outside; a failed call must leave its metric's bytes as they were; a failing
// allocator may strike at any time.
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "iqa_c.h"
#include "require.hpp"

namespace {

class program {
public:
    program(const uint8_t *data, size_t size) : next_(data), end_(data + size) {}

    bool ended() const { return next_ == end_; }
    uint8_t byte() { return ended() ? uint8_t(0) : *next_++; }
    template <class Number>
    Number number()
    {
        uint8_t bytes[sizeof(Number)];
        for (uint8_t &part : bytes)
            part = byte();
        Number value;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }

    // Mostly small numbers, sometimes any.
    int64_t extent()
    {
        const uint8_t kind = byte();
        return kind == 255 ? number<int64_t>() : kind % 40;
    }

private:
    const uint8_t *next_;
    const uint8_t *end_;
};

// Fails when its fuse has burnt down; -1 never does.
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

constexpr int32_t types[] = {IQA_UINT8,   IQA_UINT16,  IQA_INT16, IQA_FLOAT16, IQA_BFLOAT16,
                             IQA_FLOAT32, IQA_FLOAT64, IQA_INT32, IQA_BOOL,    0x0501};

// Memory for tensors, with what an image might have in it.
std::vector<uint8_t> make_bytes(size_t factor)
{
    std::vector<uint8_t> bytes(1 << 16);
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = uint8_t(i * factor + i / 251);
    return bytes;
}

std::vector<uint8_t> reference_bytes = make_bytes(7);
std::vector<uint8_t> candidate_bytes = make_bytes(5);
std::vector<uint8_t> output_bytes = make_bytes(0);
std::vector<uint8_t> gradient_bytes = make_bytes(0);
std::vector<uint8_t> weight_bytes = make_bytes(3);

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
        const uint8_t which = code_.byte();
        iqa_context *&context = contexts_[code_.byte() % contexts_.size()];
        iqa_metric *&metric = metrics_[code_.byte() % metrics_.size()];
        iqa_metric *&other = metrics_[code_.byte() % metrics_.size()];
        switch (which % 16) {
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
            unchanged_if_failed(metric, [&] { return update(metric, axes_[size_t(&metric - metrics_.data())]); });
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
        case 14:
            memory_.fuse = code_.byte() % 16 - 1;
            break;
        default:
            memory_.fuse = -1;
            break;
        }
    }

    template <class Call>
    void unchanged_if_failed(iqa_metric *metric, Call &&call)
    {
        const std::vector<uint8_t> before = bytes_of(metric);
        if (call() != IQA_OK)
            REQUIRE(bytes_of(metric) == before);
    }

    static std::vector<uint8_t> bytes_of(const iqa_metric *metric)
    {
        size_t size = 0;
        if (iqa_metric_serialize(metric, nullptr, 0, &size) != IQA_OK)
            return {};
        std::vector<uint8_t> bytes(size);
        REQUIRE(iqa_metric_serialize(metric, bytes.data(), size, nullptr) == IQA_OK);
        return bytes;
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

    // Every 32-bit field of an options struct may become anything.
    template <class Options>
    void spoil(Options &options)
    {
        for (int changes = code_.byte() % 4; changes > 0; --changes) {
            const size_t place = 4 + code_.byte() % (sizeof options - 4) / 4 * 4;
            const int32_t value = code_.byte() % 2 == 0 ? int32_t(code_.byte() % 16) - 1 : code_.number<int32_t>();
            std::memcpy(reinterpret_cast<char *>(&options) + place, &value, sizeof value);
        }
    }

    void beyond_plain_images(iqa_ssim_options &options)
    {
        const uint8_t flags = code_.byte();
        if (flags & 1) {
            options.scales = 2;
            options.scale_weights[0] = options.scale_weights[1] = 0.5;
            options.shrink = code_.byte() % 4;
            options.negative = code_.byte() % 4;
            options.product = code_.byte() % 2;
        }
        options.contrast_border = options.border;
        options.parts = flags >> 1 & 1;
        options.shave = flags & 4 ? code_.byte() % 3 : 0;
        options.downsample = flags & 8 ? 1 + code_.byte() % 3 : 1;
        options.luma = flags & 16 ? code_.byte() % 5 : 0;
        options.nonfinite = flags & 32 ? code_.byte() % 3 : 0;
        options.mask = flags >> 6 & 1;
        options.window = flags & 128 ? code_.byte() % 3 : 0;
    }

    iqa_metric *create_metric(iqa_context *context, int32_t &axes)
    {
        iqa_metric *metric = nullptr;
        const int32_t layout = code_.byte() % 12;
        constexpr int32_t axes_of_layout[] = {2, 3, 3, 3, 4, 4, 3, 4, 4, 4, 5, 5};
        axes = axes_of_layout[layout];
        const double high = code_.byte() % 2 ? 1.0 : -1.0;
        if (code_.byte() % 2 == 0) {
            iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
            options.layout = layout;
            options.data_high = high;
            options.border = code_.byte() % 5;
            options.size_y = 1 + 2 * (code_.byte() % 8);
            options.size_x = 1 + 2 * (code_.byte() % 8);
            options.size_z = 1 + 2 * (code_.byte() % 3);
            beyond_plain_images(options);
            spoil(options);
            iqa_ssim_create(context, &options, &metric);
        } else {
            iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
            options.layout = layout;
            options.data_high = high;
            options.aggregate = code_.byte() % 2;
            options.luma = code_.byte() % 8 == 0 ? 1 : 0;
            options.shave = code_.byte() % 8 == 0 ? 1 : 0;
            options.gradient = code_.byte() % 2;
            options.nonfinite = code_.byte() % 3;
            spoil(options);
            iqa_psnr_create(context, &options, &metric);
        }
        return metric;
    }

    // A tensor that lies in its memory, or one that the library must refuse by its extents alone.
    iqa_tensor tensor(std::vector<uint8_t> &memory, int32_t type, int32_t axes, const int64_t *extents,
                      int64_t *strides, bool strided)
    {
        iqa_tensor made = iqa_cpu_tensor(memory.data(), type, axes, extents);
        const int64_t size = (type & 0xff) / 8;
        made.byte_offset = uint64_t(code_.byte() % 4 * 8);
        int64_t reach = int64_t(made.byte_offset) / (size > 0 ? size : 1);
        bool fits = true;
        int64_t compact = 1;
        for (int axis = axes; axis-- > 0;) {
            strides[axis] = strided ? code_.byte() % 64 : compact;
            fits = fits && extents[axis] >= 0 && extents[axis] < 256;
            compact *= fits ? extents[axis] : 1;
            fits = fits && compact < 1 << 24;
            reach += fits && extents[axis] > 0 ? (extents[axis] - 1) * strides[axis] : 0;
        }
        fits = fits && (reach + 1) * size <= int64_t(memory.size());
        if (strided)
            made.strides = strides;
        if (!fits)
            made.data = nullptr; // whatever the extents: there is nothing to be read
        return made;
    }

    iqa_status update(iqa_metric *metric, int32_t usual_axes)
    {
        int64_t extents[5] = {1, 1, 1, 1, 1};
        int64_t strides[5][5];
        const uint8_t choice = code_.byte();
        const int32_t axes = choice < 16 ? choice % 6 : usual_axes;
        for (int64_t &extent : extents)
            extent = code_.extent();
        const int32_t type = types[code_.byte() % std::size(types)];
        const uint8_t flags = code_.byte();
        iqa_tensor reference = tensor(reference_bytes, type, axes, extents, strides[0], flags & 1);
        iqa_tensor candidate = tensor(candidate_bytes, type, axes, extents, strides[1], flags & 2);
        if (flags & 4)
            candidate.device_type = code_.byte() % 16;
        int64_t map_extents[5];
        for (int64_t &extent : map_extents)
            extent = code_.extent();
        const iqa_tensor per_image = tensor(output_bytes, IQA_FLOAT64, 1, extents, strides[2], false);
        iqa_tensor per_channel = tensor(output_bytes, IQA_FLOAT64, 2, extents, strides[2], false);
        iqa_tensor map = tensor(output_bytes, flags & 8 ? IQA_FLOAT32 : IQA_FLOAT64, axes,
                                flags & 16 ? extents : map_extents, strides[2], false);
        iqa_update_extras extras = IQA_UPDATE_EXTRAS_INIT;
        extras.per_image = flags & 32 ? &per_image : nullptr;
        extras.per_channel = flags & 64 ? &per_channel : nullptr;
        extras.map = flags & 128 ? &map : nullptr;
        const uint8_t more = code_.byte();
        constexpr int32_t weight_types[] = {IQA_BOOL, IQA_UINT8, IQA_FLOAT32, IQA_FLOAT64};
        const iqa_tensor weights = tensor(weight_bytes, weight_types[more % 4], axes, extents, strides[3], more & 4);
        const iqa_tensor gradient =
            tensor(gradient_bytes, more & 8 ? IQA_FLOAT32 : IQA_FLOAT64, axes, extents, strides[4], false);
        extras.weights = more & 16 ? &weights : nullptr;
        extras.candidate_gradient = more & 32 ? &gradient : nullptr;
        extras.reference_gradient = (more & 96) == 64 ? &gradient : nullptr;
        return iqa_metric_update(metric, &reference, &candidate, &extras);
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
        const std::vector<uint8_t> bytes = bytes_of(from);
        iqa_metric *loaded = nullptr;
        const iqa_status status = iqa_metric_deserialize(context, bytes.data(), bytes.size(), &loaded);
        REQUIRE((status == IQA_OK) == (loaded != nullptr));
        if (loaded == nullptr)
            return;
        REQUIRE(bytes_of(loaded) == bytes);
        if (&to != &metrics_[0]) // the first one keeps what it has
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
    std::array<int32_t, 4> axes_{}; // of the metrics' layouts
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine(data, size).run();
    return 0;
}

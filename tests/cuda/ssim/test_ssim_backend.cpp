// SPDX-License-Identifier: MIT
// Compares SSIM's functions of both backends, request by request: the sequential machine must give the CPU's bytes in
// every order of its threads. A generator makes requests with random shapes, types, strides and options. The file is
// past 400 lines: each part below compares one function, and all share the generator.
#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

#include "arith/window.h"
#include "backend/backend.hpp"
#include "cuda/backend.hpp"
#include "cuda/machine/ledger.hpp"
#include "cuda/sequential/machine.hpp"
#include "cuda/ssim/boxes.hpp"
#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

struct ledger_closer {
    void operator()(iqa::device_ledger *ledger) const { ledger->close(); }
};

// Context and memory of both backends.
struct machine_under_test {
    context_pointer context = make_context();
    std::unique_ptr<iqa::device_ledger, ledger_closer> ledger{iqa::cuda::open_ledger(*context, 0, 1, false)};
    iqa::workspace on_cpu{*context, *context};
    iqa::workspace on_device{*ledger, *context};

    // Runs the enqueued work in an order of threads. It must leave `zeros` zero.
    template <class Enqueue>
    void run(thread_order order, Enqueue &&enqueue)
    {
        auto &machine = sequential_machine::get();
        machine.order = order;
        enqueue();
        machine.run_queue();
        const std::byte *zeros = on_device.zeros.take<std::byte>(1, "nothing");
        const int64_t size = zeros_size();
        REQUIRE(std::all_of(zeros, zeros + size, [](std::byte value) { return value == std::byte(0); }));
    }

    int64_t zeros_size() { return most_zeros; }
    static constexpr int64_t most_zeros = 4096; // allocated once at the start

    machine_under_test() { on_device.zeros.take<std::byte>(most_zeros, "zeros"); }
};

constexpr std::array orders = {thread_order::forward, thread_order::backward, thread_order::shuffled};

// Equal numbers; all NaNs are equal.
template <class Number>
bool same_numbers(const std::vector<Number> &a, const std::vector<Number> &b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](Number x, Number y) {
               return std::memcmp(&x, &y, sizeof x) == 0 || (x != x && y != y);
           });
}

// ---- Generated requests

constexpr std::array element_types = {
    iqa::element_type::uint8,    iqa::element_type::uint16,  iqa::element_type::int16,  iqa::element_type::float16,
    iqa::element_type::bfloat16, iqa::element_type::float32, iqa::element_type::float64};

// Five axes in memory: in any order, with gaps, reversed, or with stride 0.
struct strided {
    std::array<int64_t, 5> strides{};
    int64_t first = 0, items = 1;
};

strided make_strides(random_numbers &random, const std::array<int64_t, 5> &extents, bool some_broadcast)
{
    strided made;
    std::array<int, 5> order = {4, 3, 2, 1, 0};
    if (random.below(2) == 0)
        for (int i = 4; i > 0; --i)
            std::swap(order[size_t(i)], order[size_t(random.below(i + 1))]);
    for (const int axis : order) {
        if (some_broadcast && random.below(6) == 0)
            continue;
        const int64_t step = made.items * (random.below(5) == 0 ? 2 : 1);
        made.strides[size_t(axis)] = step;
        made.items = step * extents[size_t(axis)];
        if (random.below(6) == 0) {
            made.first += step * (extents[size_t(axis)] - 1);
            made.strides[size_t(axis)] = -step;
        }
    }
    return made;
}

// A random sample: mostly moderate, sometimes NaN.
void fill_sample(random_numbers &random, iqa::element_type type, bool wild, std::byte *to)
{
    const double value = random.uniform();
    const auto put = [&](auto sample) {
        std::memcpy(to, &sample, sizeof sample);
    };
    const bool odd = wild && random.below(200) == 0;
    const float special = random.below(2) == 0 ? __builtin_nanf("") : __builtin_inff();
    switch (type) {
    case iqa::element_type::uint8:
        return put(uint8_t(value * 256));
    case iqa::element_type::uint16:
        return put(uint16_t(value * 65536));
    case iqa::element_type::int16:
        return put(int16_t(value * 65536 - 32768));
    case iqa::element_type::float16:
        return put(uint16_t(odd ? 0x7e00 : uint16_t(random.next()) & 0x3bff));
    case iqa::element_type::bfloat16:
        return put(uint16_t(iqa::bits_of(odd ? special : float(value)) >> 16));
    case iqa::element_type::float32:
        return put(odd ? special : float(value));
    default:
        return put(odd ? double(special) : value);
    }
}

struct image_memory {
    std::vector<std::byte> bytes;
    iqa::image_view view{};

    image_memory(random_numbers &random, iqa::element_type type, const std::array<int64_t, 5> &extents, bool wild)
    {
        const strided made = make_strides(random, extents, random.below(8) == 0);
        const int64_t size = iqa::element_size(type);
        bytes.resize(size_t(made.items * size));
        for (int64_t i = 0; i < made.items; ++i)
            fill_sample(random, type, wild, bytes.data() + i * size);
        view.type = type;
        view.data = bytes.data() + made.first * size;
        view.images = extents[0];
        view.channels = extents[1];
        view.depth = extents[2];
        view.height = extents[3];
        view.width = extents[4];
        view.image_stride = made.strides[0];
        view.channel_stride = made.strides[1];
        view.slice_stride = made.strides[2];
        view.row_stride = made.strides[3];
        view.column_stride = made.strides[4];
    }
};

struct weight_memory {
    std::vector<std::byte> bytes;
    iqa::weight_view view{};

    weight_memory() = default;
    weight_memory(random_numbers &random, const std::array<int64_t, 5> &extents, bool of_luma)
    {
        strided made = make_strides(random, extents, true);
        if (of_luma)
            made.strides[1] = 0;
        constexpr std::array types = {iqa::weight_type::boolean, iqa::weight_type::uint8, iqa::weight_type::float32,
                                      iqa::weight_type::float64};
        const iqa::weight_type type = types[size_t(random.below(4))];
        const int64_t size = (int32_t(type) & 0xff) / 8;
        bytes.resize(size_t(made.items * size));
        const int64_t counting = random.below(4) == 0 ? random.below(made.items) : made.items; // whole tiles may not
        for (int64_t i = 0; i < made.items; ++i) {
            const bool is_zero = i >= counting || random.below(3) == 0;
            const double weight = is_zero ? 0.0 : random.below(3) == 0 ? 1.0 : random.uniform();
            const auto put = [&](auto value) {
                std::memcpy(bytes.data() + i * size, &value, sizeof value);
            };
            if (type == iqa::weight_type::float32)
                put(float(weight));
            else if (type == iqa::weight_type::float64)
                put(weight);
            else
                put(uint8_t(weight != 0.0));
        }
        view = {bytes.data() + made.first * size,
                int32_t(type),
                made.strides[0],
                made.strides[1],
                made.strides[2],
                made.strides[3],
                made.strides[4]};
    }
};

// An output with any strides. Memory between its elements must not change.
struct output_memory {
    std::vector<double> doubles;
    std::vector<float> floats;
    iqa::output_view view{};

    output_memory(const strided &made, bool of_doubles)
    {
        if (of_doubles)
            doubles.assign(size_t(made.items), -7.0);
        else
            floats.assign(size_t(made.items), -7.0f);
        view.is_double = of_doubles;
        view.data = of_doubles ? reinterpret_cast<std::byte *>(doubles.data() + made.first)
                               : reinterpret_cast<std::byte *>(floats.data() + made.first);
        view.image_stride = made.strides[0];
        view.channel_stride = made.strides[1];
        view.slice_stride = made.strides[2];
        view.row_stride = made.strides[3];
        view.column_stride = made.strides[4];
    }

    friend bool operator==(const output_memory &a, const output_memory &b)
    {
        return same_numbers(a.doubles, b.doubles) && same_numbers(a.floats, b.floats);
    }
};

struct generator_limits {
    int64_t images = 3, channels = 4, depth = 40, height = 90, width = 180;
    int taps = 15;
    bool large = false; // `taps` taps down, and half or a quarter of them across
    bool plain = false; // images without weights, and windows of 11 taps
};

// A plan and its images. Not movable, since members point to each other.
struct generated {
    random_numbers random;
    iqa::ssim_plan plan{};
    iqa::luma_rule luma{};
    std::array<std::vector<double>, 3> taps;
    std::array<int64_t, 5> extents{};
    std::unique_ptr<image_memory> reference, candidate;
    weight_memory weights;
    iqa::image_pair images{};
    bool weighing = false;

    generated(const generated &) = delete;
    generated &operator=(const generated &) = delete;

    generated(uint64_t seed, const generator_limits &limits) : random(seed * 0x9e3779b97f4a7c15u)
    {
        const bool volume = !limits.plain && random.below(3) == 0;
        choose_taps(volume, limits);
        const auto extent = [&](int axis, int64_t most) {
            const int64_t least = plan.border == iqa::border_mode::valid ? int64_t(taps[size_t(axis)].size()) : 1;
            return std::max(least, 1 + random.below(random.below(3) == 0 ? 6 : most));
        };
        const int64_t side = volume ? 3 : 1; // volumes are small across
        extents = {1 + random.below(limits.images), 1 + random.below(limits.channels),
                   volume ? extent(0, limits.depth) : 1 + (random.below(6) == 0 ? random.below(3) : 0),
                   extent(1, limits.height / side), extent(2, limits.width / side)};
        const iqa::element_type type = element_types[size_t(random.below(int64_t(element_types.size())))];
        const bool wild = random.below(4) == 0;
        plan.double_arithmetic = type == iqa::element_type::float64 || random.below(5) == 0;
        plan.gain = type == iqa::element_type::uint8      ? 0x1p-7
                    : iqa::is_integer(type)               ? 0x1p-15
                    : type == iqa::element_type::bfloat16 ? 0x1p1
                                                          : 1.0;
        plan.range = iqa::is_integer(type) ? iqa::span_of(type) : iqa::data_range{0, 1};
        choose_options();
        reference = std::make_unique<image_memory>(random, type, extents, wild);
        candidate = std::make_unique<image_memory>(random, type, extents, wild);
        images = {reference->view, candidate->view};
        if (limits.plain)
            plan.mask_nonfinite = false;
        else if (random.below(2) == 0)
            weights = weight_memory(random, extents, plan.luma != nullptr);
        weighing = weights.view.data != nullptr || plan.mask_nonfinite;
    }

    void choose_taps(bool volume, const generator_limits &limits)
    {
        plan.border = iqa::border_mode(random.below(5));
        const bool usual = limits.plain || (!limits.large && random.below(3) == 0);
        // Windows whose slabs are made a few rows at a time, or of many slices.
        const int many = limits.taps;
        const std::array<int, 3> large = !volume                ? std::array{1, many, many / 2 | 1}
                                         : random.below(2) == 0 ? std::array{61, 3, 3}
                                                                : std::array{3, many, many / 4 | 1};
        if (limits.large)
            plan.border = iqa::border_mode(1 + random.below(4)); // a valid map needs large images
        for (int axis = 0; axis < 3; ++axis) {
            std::vector<double> &window = taps[size_t(axis)];
            window.resize(size_t(usual ? 11 : 1 + 2 * random.below((limits.taps + 1) / 2)));
            if (limits.large)
                window.resize(size_t(large[size_t(axis)]));
            if (axis == 0 && !volume)
                window.resize(1);
            if (random.below(2) == 0)
                iqa::gaussian_taps(1.5, int(window.size()), window.data());
            else
                iqa::uniform_taps(int(window.size()), window.data());
        }
        plan.size_z = int(taps[0].size());
        plan.size_y = int(taps[1].size());
        plan.size_x = int(taps[2].size());
        plan.taps_z = taps[0].data();
        plan.taps_y = taps[1].data();
        plan.taps_x = taps[2].data();
    }

    void choose_options()
    {
        const bool stabilised = random.below(4) != 0;
        plan.twice_c1 = stabilised ? 2e-4 : 0.0;
        plan.twice_c2 = stabilised ? 1.8e-3 : 0.0;
        plan.covariance = random.below(2) == 0 ? 1.0 : 121.0 / 120.0;
        plan.mask_nonfinite = random.below(4) == 0;
        plan.convolution = random.below(2) == 0;
        plan.coverage = random.below(2) == 0 ? 0.0 : random.uniform();
        plan.negative_to_zero = random.below(4) == 0;
        if (extents[1] == 3 && random.below(2) == 0) {
            luma = iqa::luma_for(iqa::luma_kind(1 + random.below(4)), random.below(2) == 0, 1.0);
            plan.luma = &luma;
        }
        const int64_t parts = 1 + random.below(7);
        for (int part = 0; part < iqa::ssim_factors; ++part)
            plan.wanted[part] = (parts >> part & 1) != 0;
    }

    int64_t channels() const { return plan.channels(images.reference); }
};

// ---- SSIM

struct ssim_results {
    std::vector<iqa::int128> sums, weight;
    std::unique_ptr<bool[]> not_a_number;
    output_memory map;
};

ssim_results measure(generated &from, const strided *map, bool by_channel, bool of_doubles, auto &&function)
{
    const int64_t images = from.extents[0];
    const int64_t parts = by_channel ? images * from.channels() : images;
    ssim_results results{std::vector<iqa::int128>(size_t(parts * iqa::ssim_factors), -1),
                         std::vector<iqa::int128>(size_t(parts), -1), std::make_unique<bool[]>(size_t(images)),
                         output_memory(map != nullptr ? *map : strided{}, of_doubles)};
    if (map == nullptr)
        results.map.view.data = nullptr;
    const auto outputs = [&](int64_t extent, int count) {
        return from.plan.border == iqa::border_mode::valid ? extent - count + 1 : extent;
    };
    iqa::ssim_request request{.plan = &from.plan,
                              .images = from.images,
                              .weights = from.weights.view,
                              .out_depth = outputs(from.extents[2], from.plan.size_z),
                              .out_height = outputs(from.extents[3], from.plan.size_y),
                              .out_width = outputs(from.extents[4], from.plan.size_x),
                              .map = results.map.view,
                              .by_channel = by_channel,
                              .sums = results.sums.data(),
                              .weight = from.weighing ? results.weight.data() : nullptr,
                              .counts = nullptr,
                              .not_a_number = results.not_a_number.get()};
    function(request);
    return results;
}

void compare_ssim(machine_under_test &machine, uint64_t seed, const generator_limits &limits)
{
    CAPTURE(seed);
    generated from(seed, limits);
    const bool by_channel = from.random.below(2) == 0;
    const bool of_doubles = from.random.below(2) == 0;
    std::array<int64_t, 5> of_map = from.extents;
    of_map[1] = from.channels();
    const strided placed = make_strides(from.random, of_map, false);
    const strided *map = from.random.below(2) == 0 ? &placed : nullptr;
    const ssim_results expected = measure(from, map, by_channel, of_doubles, [&](iqa::ssim_request &request) {
        iqa::cpu_backend().ssim(*machine.context, machine.on_cpu, request);
    });
    for (const thread_order order : orders) {
        const ssim_results found = measure(from, map, by_channel, of_doubles, [&](iqa::ssim_request &request) {
            machine.run(order, [&] { iqa::cuda::ssim_boxes(*machine.context, machine.on_device, request); });
        });
        CHECK(found.map == expected.map);
        CHECK(found.weight == expected.weight);
        const int64_t images = from.extents[0];
        const size_t of_image = expected.sums.size() / size_t(images);
        for (int64_t image = 0; image < images; ++image) {
            CHECK(found.not_a_number[size_t(image)] == expected.not_a_number[size_t(image)]);
            if (!expected.not_a_number[size_t(image)]) {
                const auto begin = expected.sums.begin() + int64_t(of_image) * image;
                CHECK(std::equal(begin, begin + int64_t(of_image), found.sums.begin() + int64_t(of_image) * image));
            }
        }
    }
}

// ---- Smaller images

// Levels that are each made from the one before.
template <class Real>
struct pyramid {
    std::vector<Real> memory; // of all levels, each with three maps
    std::deque<iqa::ssim_plan> plans;
    std::vector<iqa::shrink_request> levels;

    pyramid(generated &from, int count)
    {
        random_numbers &random = from.random;
        const auto rule = iqa::shrink_rule(random.below(4));
        const bool in_depth = from.extents[2] > 1 && random.below(2) == 0;
        plans.push_back(from.plan);
        iqa::shrink_request whole{};
        whole.plan = &plans.back();
        whole.images = from.images;
        whole.weights = from.weights.view;
        levels.push_back(whole);
        std::vector<size_t> pixels;
        for (;;) {
            iqa::shrink_request &level = levels.back();
            const iqa::image_view &larger = level.images.reference;
            const bool some_odd = random.below(2) == 0;
            const int factor = levels.size() > 1 && random.below(8) != 0 ? 2 : 2 + int(random.below(3));
            level.z = {in_depth ? rule : iqa::shrink_rule::floor, in_depth ? factor : 1, larger.depth,
                       in_depth && some_odd};
            level.y = {rule, factor, larger.height, some_odd};
            level.x = {rule, factor, larger.width, some_odd};
            pixels.push_back(
                size_t(larger.images * from.channels() * level.z.boxes() * level.y.boxes() * level.x.boxes()));
            if (int(levels.size()) == count || pixels.back() == 0)
                break;
            levels.push_back(next_of(level, from));
        }
        size_t numbers = 0;
        for (const size_t level_pixels : pixels)
            numbers += 3 * level_pixels;
        memory.resize(numbers);
        std::byte *next = reinterpret_cast<std::byte *>(memory.data());
        for (size_t i = 0; i < levels.size(); ++i) {
            const size_t bytes = pixels[i] * sizeof(Real);
            levels[i].reference = next;
            levels[i].candidate = next + bytes;
            levels[i].shrunk_weights = from.weighing ? next + 2 * bytes : nullptr;
            next += 3 * bytes;
            if (i + 1 == levels.size())
                break;
            levels[i + 1].images.reference.data = levels[i].reference;
            levels[i + 1].images.candidate.data = levels[i].candidate;
            levels[i + 1].weights.data = levels[i].shrunk_weights;
        }
    }

    // The next level, without its memory.
    iqa::shrink_request next_of(const iqa::shrink_request &before, const generated &from)
    {
        plans.push_back(*before.plan);
        plans.back().gain = 1.0;
        plans.back().luma = nullptr;
        plans.back().mask_nonfinite = false;
        iqa::image_view dense{};
        dense.type = sizeof(Real) == sizeof(double) ? iqa::element_type::float64 : iqa::element_type::float32;
        dense.images = from.images.reference.images;
        dense.channels = from.channels();
        dense.depth = before.z.boxes();
        dense.height = before.y.boxes();
        dense.width = before.x.boxes();
        dense.column_stride = 1;
        dense.row_stride = dense.width;
        dense.slice_stride = dense.row_stride * dense.height;
        dense.channel_stride = dense.slice_stride * dense.depth;
        dense.image_stride = dense.channel_stride * dense.channels;
        iqa::shrink_request next{};
        next.plan = &plans.back();
        next.images = {dense, dense};
        if (from.weighing)
            next.weights = {nullptr,
                            sizeof(Real) == sizeof(double) ? IQA_FLOAT64 : IQA_FLOAT32,
                            dense.image_stride,
                            dense.channel_stride,
                            dense.slice_stride,
                            dense.row_stride,
                            1};
        return next;
    }

    template <class Shrink>
    std::vector<Real> made_by(Shrink &&shrink)
    {
        std::fill(memory.begin(), memory.end(), Real(-7));
        shrink();
        return memory;
    }
};

template <class Real>
void compare_shrink(machine_under_test &machine, uint64_t seed, const generator_limits &limits)
{
    CAPTURE(seed);
    generated from(seed, limits);
    from.plan.double_arithmetic = sizeof(Real) == sizeof(double);
    pyramid<Real> levels(from, 1 + int(from.random.below(9)));
    const std::vector<Real> expected =
        levels.made_by([&] { iqa::cpu_backend().shrink(*machine.context, machine.on_cpu, levels.levels); });
    for (const thread_order order : orders)
        CHECK(same_numbers(expected, levels.made_by([&] {
            machine.run(order, [&] { iqa::cuda::shrink(*machine.context, machine.on_device, levels.levels); });
        })));
}

// ---- Derivatives

struct gradient_results {
    output_memory reference, candidate;
    friend bool operator==(const gradient_results &, const gradient_results &) = default;
};

// Random numbers in place of the derivatives by smaller images.
template <class Real>
struct smaller_memory {
    std::vector<Real> numbers;
    iqa::shrink_request request{};

    explicit smaller_memory(generated &from)
    {
        random_numbers &random = from.random;
        const auto rule = iqa::shrink_rule(random.below(4));
        const int factor = 2 + int(random.below(2));
        const bool some_odd = random.below(2) == 0;
        const bool in_depth = from.extents[2] > 1;
        request.plan = &from.plan;
        request.z = {in_depth ? rule : iqa::shrink_rule::floor, in_depth ? factor : 1, from.extents[2], some_odd};
        request.y = {rule, factor, from.extents[3], some_odd};
        request.x = {rule, factor, from.extents[4], some_odd};
        const size_t pixels =
            size_t(from.extents[0] * from.channels() * request.z.boxes() * request.y.boxes() * request.x.boxes());
        numbers.resize(3 * pixels);
        for (Real &number : numbers)
            number = Real(random.uniform() < 0.1 ? 0.0 : random.uniform());
        request.reference = reinterpret_cast<std::byte *>(numbers.data());
        request.candidate = reinterpret_cast<std::byte *>(numbers.data() + pixels);
        if (from.weighing)
            request.shrunk_weights = reinterpret_cast<std::byte *>(numbers.data() + 2 * pixels);
    }
};

template <class Real>
void compare_gradient(machine_under_test &machine, uint64_t seed, const generator_limits &limits)
{
    CAPTURE(seed);
    generated from(seed, limits);
    from.plan.double_arithmetic = sizeof(Real) == sizeof(double);
    const bool product = from.random.below(2) == 0;
    from.plan.wanted[iqa::ssim_product] = product;
    from.plan.wanted[iqa::ssim_contrast_structure] = !product;
    from.plan.wanted[iqa::ssim_luminance] = false;
    const smaller_memory<Real> smaller(from);
    std::vector<double> factors(size_t(from.extents[0] * from.channels()));
    for (double &factor : factors)
        factor = from.random.below(4) == 0   ? 0.0
                 : from.random.below(8) == 0 ? double(__builtin_nanf(""))
                                             : (from.random.uniform() - 0.2) * 1e-3;
    const strided placed = make_strides(from.random, from.extents, false);
    const bool of_doubles = from.random.below(2) == 0;
    const bool one_side = from.random.below(3) == 0;
    iqa::ssim_gradient_request request{};
    request.plan = &from.plan;
    request.images = from.images;
    request.weights = from.weights.view;
    request.factors = from.random.below(6) == 0 ? nullptr : factors.data();
    request.smaller = from.random.below(2) == 0 ? &smaller.request : nullptr;
    const auto differentiate = [&](auto &&function) {
        gradient_results results{output_memory(placed, of_doubles), output_memory(placed, of_doubles)};
        request.reference = results.reference.view;
        request.candidate = results.candidate.view;
        if (one_side)
            request.reference.data = nullptr;
        function();
        return results;
    };
    const gradient_results expected =
        differentiate([&] { iqa::cpu_backend().ssim_gradient(*machine.context, machine.on_cpu, request); });
    for (const thread_order order : orders)
        CHECK(expected == differentiate([&] {
                  machine.run(order, [&] { iqa::cuda::ssim_gradient(*machine.context, machine.on_device, request); });
              }));
}

// ---- Blocks

void compare_blocks(machine_under_test &machine, uint64_t seed)
{
    CAPTURE(seed);
    random_numbers random(seed);
    const auto extent = [&](int64_t most) {
        return iqa::block_size + random.below(random.below(3) == 0 ? 6 : most);
    };
    const std::array<int64_t, 5> extents = {1 + random.below(3), 1 + random.below(4), 1, extent(100), extent(600)};
    const iqa::element_type type = random.below(2) == 0 ? iqa::element_type::uint8 : iqa::element_type::uint16;
    const image_memory reference(random, type, extents, false);
    const image_memory candidate(random, type, extents, false);
    const bool stabilised = random.below(3) != 0;
    const double peak = iqa::span_of(type).high;
    const auto measure = [&](auto &&function) {
        std::pair<std::vector<iqa::int128>, std::vector<int64_t>> results;
        results.first.resize(size_t(extents[0] * extents[1]), -1);
        results.second.resize(size_t(2 * extents[0]), -1);
        iqa::ssim_blocks_request request{
            .images = {reference.view, candidate.view},
            .range = iqa::span_of(type),
            .constants = iqa::block_constants(stabilised ? 0.01 : 0.0, stabilised ? 0.03 : 0.0, peak),
            .sums = results.first.data(),
            .counts = reinterpret_cast<iqa::sample_counts *>(results.second.data())};
        function(request);
        return results;
    };
    const auto expected = measure([&](iqa::ssim_blocks_request &request) {
        iqa::cpu_backend().ssim_blocks(*machine.context, machine.on_cpu, request);
    });
    for (const thread_order order : orders)
        CHECK(expected == measure([&](iqa::ssim_blocks_request &request) {
                  machine.run(order, [&] { iqa::cuda::ssim_blocks(*machine.context, machine.on_device, request); });
              }));
}

} // namespace

TEST_CASE("SSIM of anything is the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 0; seed < 150; ++seed)
        compare_ssim(machine, seed, {});
}

TEST_CASE("SSIM with windows that fit no shared memory is the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 1000; seed < 1020; ++seed)
        compare_ssim(machine, seed,
                     {.images = 1, .channels = 1, .depth = 3, .height = 10, .width = 10, .taps = 601, .large = true});
}

TEST_CASE("Smaller images are the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 2000; seed < 2100; ++seed) {
        compare_shrink<float>(machine, seed, {.height = 200, .width = 400});
        compare_shrink<double>(machine, seed, {});
        compare_shrink<float>(machine, seed, {.height = 100, .width = 100, .plain = true});
    }
}

TEST_CASE("Derivatives of anything are the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 3000; seed < 3060; ++seed) {
        compare_gradient<float>(machine, seed, {.images = 2, .channels = 3, .height = 80, .width = 150});
        compare_gradient<double>(machine, seed, {.images = 2, .channels = 3, .depth = 70, .height = 40, .width = 40});
    }
}

TEST_CASE("Derivatives of plain images are the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 6000; seed < 6040; ++seed)
        compare_gradient<float>(machine, seed, {.images = 2, .channels = 2, .width = 300, .plain = true});
}

TEST_CASE("Derivatives with large windows are the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 4000; seed < 4016; ++seed)
        compare_gradient<float>(
            machine, seed,
            {.images = 1, .channels = 1, .depth = 3, .height = 10, .width = 10, .taps = 301, .large = true});
}

TEST_CASE("SSIM over blocks is the CPU's")
{
    sequential_machine::get().reset();
    machine_under_test machine;
    for (uint64_t seed = 5000; seed < 5060; ++seed)
        compare_blocks(machine, seed);
}

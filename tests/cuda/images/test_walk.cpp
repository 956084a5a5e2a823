// SPDX-License-Identifier: MIT
// Walks over images reach each sample once, in every tensor alike.
#include <set>

#include "cuda/images/axes.hpp"
#include "support/catch.hpp"
#include "support/support.hpp"

using iqa::cuda::joint_place;
using iqa::cuda::sample_places;

namespace {

using offsets = std::array<int64_t, 3>;

struct random_images {
    iqa::image_view extents{};
    std::array<sample_places, 3> places{};
};

// A dense tensor in any order of its axes, one with gaps, and one that some axes leave where it is.
random_images draw(test::random_numbers &random)
{
    random_images drawn;
    int64_t extents[] = {1 + int64_t(random.below(4)), 1 + int64_t(random.below(3)), 1 + int64_t(random.below(9)),
                         1 + int64_t(random.below(random.below(2) == 0 ? 9 : 700))};
    drawn.extents.channels = extents[0];
    drawn.extents.depth = extents[1];
    drawn.extents.height = extents[2];
    drawn.extents.width = extents[3];
    int order[] = {0, 1, 2, 3};
    for (int i = 3; i > 0; --i)
        std::swap(order[i], order[random.below(uint64_t(i) + 1)]);
    int64_t steps[3][4];
    int64_t dense = 1;
    int64_t with_gaps = 4;
    for (const int axis : order) {
        steps[0][axis] = dense;
        steps[1][axis] = random.below(4) == 0 ? -with_gaps : with_gaps;
        steps[2][axis] = random.below(3) == 0 ? 0 : 8 * dense;
        dense *= extents[axis];
        with_gaps *= extents[axis] + int64_t(random.below(2));
    }
    for (size_t i = 0; i < 3; ++i)
        drawn.places[i] = {nullptr, 10000 * int64_t(i + 1), steps[i][0], steps[i][1], steps[i][2], steps[i][3]};
    return drawn;
}

template <int stride>
std::multiset<offsets> walked(const random_images &images, int64_t channels, int64_t image, int64_t channel)
{
    const auto order = iqa::cuda::order_of(images.extents, channels, images.places);
    const int64_t samples = channels * images.extents.pixels();
    std::multiset<offsets> seen;
    for (int64_t first = 0; first < stride && first < samples; ++first) {
        iqa::cuda::sample_walk<3, stride> walk(order, image, channel, first);
        for (int64_t number = first; number < samples; number += stride) {
            joint_place<3> place[1];
            walk.take(place);
            seen.insert({place[0].offset[0], place[0].offset[1], place[0].offset[2]});
        }
    }
    return seen;
}

std::multiset<offsets> expected(const random_images &images, int64_t channels, int64_t image, int64_t channel)
{
    std::multiset<offsets> all;
    for (int64_t c = channel; c < channel + channels; ++c)
        for (int64_t slice = 0; slice < images.extents.depth; ++slice)
            for (int64_t row = 0; row < images.extents.height; ++row)
                for (int64_t column = 0; column < images.extents.width; ++column) {
                    offsets at;
                    for (size_t i = 0; i < 3; ++i) {
                        const sample_places &to = images.places[i];
                        at[i] =
                            image * to.image + c * to.channel + slice * to.slice + row * to.row + column * to.column;
                    }
                    all.insert(at);
                }
    return all;
}

} // namespace

TEST_CASE("a walk reaches each sample once")
{
    test::random_numbers random(41);
    for (int i = 0; i < 300; ++i) {
        const random_images images = draw(random);
        const int64_t channels = random.below(2) == 0 ? 1 : images.extents.channels;
        const int64_t channel = channels == 1 ? images.extents.channels - 1 : 0;
        const int64_t image = int64_t(random.below(3));
        CAPTURE(i, images.extents.channels, images.extents.depth, images.extents.height, images.extents.width,
                channels);
        const auto all = expected(images, channels, image, channel);
        REQUIRE(walked<1>(images, channels, image, channel) == all);
        REQUIRE(walked<7>(images, channels, image, channel) == all);
        REQUIRE(walked<256>(images, channels, image, channel) == all);
    }
}

TEST_CASE("samples are numbered as they lie, and axes without gaps are one")
{
    using places = std::array<sample_places, 1>;
    const auto order_of = [](int64_t channels, int64_t height, int64_t width, const sample_places &to) {
        iqa::image_view extents{};
        extents.channels = channels;
        extents.depth = 1;
        extents.height = height;
        extents.width = width;
        return iqa::cuda::order_of(extents, channels, places{to});
    };
    const auto planar = order_of(3, 20, 30, {nullptr, 0, 600, 0, 30, 1});
    CHECK(planar.count == 1);
    CHECK(planar.axes[0].extent == 1800);
    const auto interleaved = order_of(3, 20, 30, {nullptr, 0, 1, 0, 90, 3});
    CHECK(interleaved.count == 1);
    const auto with_gaps = order_of(3, 20, 30, {nullptr, 0, 640, 0, 32, 1});
    CHECK(with_gaps.count == 2); // a row, and the rows of all channels
    CHECK(with_gaps.axes[0].extent == 30);
    CHECK(with_gaps.axes[1].extent == 60);
    const auto one = order_of(1, 1, 1, {nullptr, 0, 640, 0, 32, 1});
    CHECK(one.count == 1);
    CHECK(one.axes[0].extent == 1);
}

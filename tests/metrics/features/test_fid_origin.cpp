// SPDX-License-Identifier: MIT
// Where features come from: kept in states, and one for all that are merged.
#include "core/state.hpp"
#include "support/catch.hpp"
#include "support/fid_features.hpp"

using namespace test;

namespace {

constexpr size_t plain_option_bytes = 12; // of states without an origin, as in docs/reference/abi.md

iqa_fid_options with_origin(uint64_t weights, int32_t layer, int32_t resize, int64_t features)
{
    iqa_fid_options options = fid_options(features);
    options.weights = weights;
    options.layer = layer;
    options.resize = resize;
    return options;
}

iqa_fid_options clean(uint64_t weights)
{
    return with_origin(weights, IQA_LAYER_64, IQA_RESIZE_CLEAN, 64);
}

std::vector<std::byte> state_of(const metric_pointer &metric)
{
    size_t size = 0;
    REQUIRE(iqa_metric_serialize(metric.get(), nullptr, 0, &size) == IQA_OK);
    std::vector<std::byte> bytes(size);
    REQUIRE(iqa_metric_serialize(metric.get(), bytes.data(), size, nullptr) == IQA_OK);
    return bytes;
}

} // namespace

TEST_CASE("a state keeps where its features come from")
{
    const context_pointer context = make_context();
    const metric_pointer stated = make_fid(context, clean(0x648e8eb2b687a548));
    REQUIRE(stated);
    REQUIRE(add_rows(stated, IQA_FID_REFERENCE, hash_features(1, 5, 64)) == IQA_OK);
    const std::vector<std::byte> bytes = state_of(stated);
    CHECK(iqa::read_state(bytes).options.size() == plain_option_bytes + 16);
    iqa_metric *read = nullptr;
    REQUIRE(iqa_metric_deserialize(context.get(), bytes.data(), bytes.size(), &read) == IQA_OK);
    const metric_pointer again(read);
    CHECK(state_of(again) == bytes);
    CHECK(iqa_metric_merge(again.get(), stated.get()) == IQA_OK);
}

TEST_CASE("a state without an origin is as it was before there were any")
{
    const context_pointer context = make_context();
    const metric_pointer plain = make_fid(context, fid_options(64));
    CHECK(iqa::read_state(state_of(plain)).options.size() == plain_option_bytes);
}

TEST_CASE("features of different origins are not merged")
{
    const context_pointer context = make_context();
    const metric_pointer real = make_fid(context, clean(0x648e8eb2b687a548));
    const struct {
        iqa_fid_options options;
        const char *text;
    } cases[] = {
        {clean(0x0123), "those of the other from weights 0000000000000123, layer 64, resize clean"},
        {with_origin(0x648e8eb2b687a548, IQA_LAYER_64, IQA_RESIZE_PYTORCH, 64), "layer 64, resize pytorch"},
        {fid_options(64), "those of the other from a network that is not stated"},
        {fid_options(64, 20), "those of the other from a network that is not stated"},
    };
    for (const auto &[options, text] : cases) {
        const metric_pointer fake = make_fid(context, options);
        REQUIRE(fake);
        const std::vector<std::byte> before = state_of(real);
        CHECK(iqa_metric_merge(real.get(), fake.get()) == IQA_ERROR_INCOMPATIBLE);
        const std::string said = iqa_context_error(context.get());
        CHECK(said.find("of this metric come from weights 648e8eb2b687a548, layer 64, resize clean") !=
              std::string::npos);
        CHECK(said.find(text) != std::string::npos);
        CHECK(state_of(real) == before);
        const iqa_metric *shards[2] = {real.get(), fake.get()};
        double value = 0.0;
        CHECK(iqa_fid_extrapolate(shards, 2, &value, nullptr) == IQA_ERROR_INCOMPATIBLE);
    }
    iqa_fid_options coarse = clean(0x648e8eb2b687a548);
    coarse.fraction_bits = 20;
    CHECK(iqa_metric_merge(real.get(), make_fid(context, coarse).get()) == IQA_ERROR_INCOMPATIBLE);
    CHECK(std::string(iqa_context_error(context.get())) == "the metrics were created with different options");
}

TEST_CASE("an origin that cannot be is refused")
{
    const context_pointer context = make_context();
    const struct {
        iqa_fid_options options;
        const char *text;
    } cases[] = {
        {with_origin(1, IQA_LAYER_2048, 0, 64), "features is 64, but layer is 2048, which has 2048"},
        {with_origin(1, IQA_LAYER_LOGITS, 0, 2048), "features is 2048, but layer is logits, which has 1008"},
        {with_origin(1, 6, 0, 64), "layer is 6"},
        {with_origin(1, 0, -1, 64), "resize is -1"},
        {with_origin(0, IQA_LAYER_2048, 0, 2048), "weights is 0, not stated, but layer is 3"},
        {with_origin(0, 0, IQA_RESIZE_CLEAN, 64), "weights is 0, not stated, but layer is 0 and resize is 2"},
    };
    for (const auto &[options, text] : cases) {
        iqa_metric *metric = nullptr;
        CHECK(iqa_fid_create(context.get(), &options, &metric) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(std::string(iqa_context_error(context.get())).find(text) != std::string::npos);
    }
}

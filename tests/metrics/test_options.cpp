// SPDX-License-Identifier: MIT
// The tables of options: that they have every field, that what follows from them is right, and that metrics from text
// are those from structs.
#include <charconv>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/suggestion.hpp"
#include "metrics/kinds.hpp"
#include "metrics/network/network.hpp"
#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

struct byte_range {
    size_t begin, size;
};

#define FIELD(structure, field)                                                                                        \
    byte_range                                                                                                         \
    {                                                                                                                  \
        offsetof(structure, field), sizeof(structure::field)                                                           \
    }

// A table, and what no row has of its struct: the size, reserved fields, pointers to what is no option.
struct table_case {
    const iqa::option_table &table;
    size_t size;
    std::vector<byte_range> others;
};

std::vector<table_case> table_cases()
{
    const byte_range struct_size = {0, 4};
    const size_t pointers = offsetof(iqa_context_options, instruction_set) + 4; // and what is between
    return {
        {iqa::ssim_option_table, sizeof(iqa_ssim_options), {struct_size, FIELD(iqa_ssim_options, reserved)}},
        {iqa::psnr_option_table, sizeof(iqa_psnr_options), {struct_size}},
        {iqa::errors_option_table, sizeof(iqa_errors_options), {struct_size}},
        {iqa::fid_option_table, sizeof(iqa_fid_options), {struct_size}},
        {iqa::kid_option_table, sizeof(iqa_kid_options), {struct_size, FIELD(iqa_kid_options, reserved)}},
        {iqa::prdc_option_table, sizeof(iqa_prdc_options), {struct_size}},
        {iqa::inception_score_option_table,
         sizeof(iqa_inception_score_options),
         {struct_size, FIELD(iqa_inception_score_options, reserved)}},
        {iqa::confusion_option_table,
         sizeof(iqa_confusion_options),
         {struct_size, FIELD(iqa_confusion_options, reading)}},
        {iqa::confusion_reading_table, sizeof(iqa_confusion_reading), {struct_size}},
        {iqa::network_option_table, sizeof(iqa_network_options), {struct_size}},
        {iqa::context_option_table,
         sizeof(iqa_context_options),
         {struct_size, {pointers, sizeof(iqa_context_options) - pointers}}},
    };
}

iqa_option_info describe(const char *kind, int32_t index)
{
    iqa_option_info info = IQA_OPTION_INFO_INIT;
    const iqa_status status = iqa_option_describe(kind, index, &info);
    INFO(iqa_context_error(nullptr));
    REQUIRE(status == IQA_OK);
    return info;
}

std::vector<iqa_option_info> describe_all(const std::string &kind)
{
    std::vector<iqa_option_info> all;
    for (int32_t i = 0; i == 0 || i < all[0].count; ++i)
        all.push_back(describe(kind.c_str(), i));
    return all;
}

double number_at(const iqa_option_info &info, const void *options)
{
    const unsigned char *place = static_cast<const unsigned char *>(options) + info.offset;
    const auto number = [&](auto value) {
        std::memcpy(&value, place, sizeof value);
        return double(value);
    };
    if (info.type == IQA_OPTION_INT64)
        return number(int64_t());
    if (info.type == IQA_OPTION_UINT64)
        return number(uint64_t());
    return info.type == IQA_OPTION_REAL ? number(double()) : number(int32_t());
}

// Either a fingerprint, or a text.
struct made {
    iqa_status status;
    uint64_t fingerprint;
    std::string error;
};

template <class Create>
made make(Create create)
{
    const context_pointer context = make_context();
    iqa_metric *metric = nullptr;
    made result{create(context.get(), &metric), 0, ""};
    if (result.status == IQA_OK)
        REQUIRE(iqa_metric_fingerprint(metric, &result.fingerprint) == IQA_OK);
    else
        result.error = iqa_context_error(context.get());
    REQUIRE((metric != nullptr) == (result.status == IQA_OK));
    iqa_metric_destroy(metric);
    return result;
}

made from_text(const char *kind, const std::string &text)
{
    return make(
        [&](iqa_context *context, iqa_metric **out) { return iqa_metric_create(context, kind, text.c_str(), out); });
}

void check_error(const char *kind, const std::string &text, const std::string &expected)
{
    INFO(text);
    const made result = from_text(kind, text);
    CHECK(result.status == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(result.error == expected);
}

std::string shortest(double value)
{
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

// Random values of random options, some of them wrong, in a struct and as text.
class random_options {
public:
    explicit random_options(uint32_t seed) : random_(seed) {}

    template <class Options>
    void change(const std::string &kind, Options &options)
    {
        for (const iqa_option_info &info : describe_all(kind)) {
            if (info.offset < 0 || info.type == IQA_OPTION_CLASSES || info.length > 1 || below(3) != 0)
                continue;
            auto *place = reinterpret_cast<unsigned char *>(&options) + info.offset;
            std::string value;
            if (info.word_count > 0 && (info.type == IQA_OPTION_WORD || below(2) == 0)) {
                const iqa_option_word &word = info.words[below(info.word_count)];
                value = word.name;
                if (info.type == IQA_OPTION_REAL)
                    std::memcpy(place, &word.value, 8);
                else
                    put(place, int32_t(word.value));
                if (below(2) == 0)
                    for (char &letter : value)
                        letter = letter == '_' ? '-' : char(std::toupper(letter));
            } else if (info.type == IQA_OPTION_REAL) {
                const double number = (below(2000) - 100) / 64.0;
                std::memcpy(place, &number, 8);
                value = shortest(number);
            } else if (info.type == IQA_OPTION_INT64 || info.type == IQA_OPTION_UINT64) {
                const int64_t number = below(1 << 20);
                std::memcpy(place, &number, 8);
                value = std::to_string(number);
            } else {
                const int32_t number = below(12) - (below(8) == 0 ? 3 : 0);
                put(place, number);
                value = std::to_string(number);
            }
            text += (text.empty() ? "" : ",") + std::string(info.name) + "=" + value;
        }
    }

    int below(int limit) { return int(random_() % uint32_t(limit)); }

    std::string text;

private:
    static void put(unsigned char *place, int32_t number) { std::memcpy(place, &number, sizeof number); }

    std::mt19937 random_;
};

// Returns whether both made a metric.
bool check_same(const char *kind, const std::string &text, const made &of_struct)
{
    INFO(text);
    const made of_text = from_text(kind, text);
    CHECK(of_text.status == of_struct.status);
    CHECK(of_text.fingerprint == of_struct.fingerprint);
    if (of_struct.status != IQA_OK)
        CHECK(of_text.error == std::string(kind) + ": " + of_struct.error);
    return of_struct.status == IQA_OK;
}

} // namespace

TEST_CASE("each byte of an options struct belongs to one row", "[names]")
{
    for (const table_case &each : table_cases()) {
        INFO(each.table.structure);
        std::vector<int> covered(each.size, 0);
        const auto cover = [&](size_t begin, size_t size) {
            for (size_t i = begin; i < begin + size; ++i)
                ++covered.at(i);
        };
        for (const byte_range &range : each.others)
            cover(range.begin, range.size);
        for (const iqa::option_row &row : each.table.rows)
            cover(row.offset, row.bytes());
        for (size_t i = 0; i < covered.size(); ++i) {
            INFO("byte " << i);
            CHECK(covered[i] == 1);
        }
    }
    CHECK(table_cases().size() == iqa::option_kinds().size());
}

TEST_CASE("names of options and words are unique and in one style", "[names]")
{
    const auto check_name = [](const std::string &name) {
        INFO(name);
        CHECK(!name.empty());
        for (const char letter : name)
            CHECK((letter == '_' || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')));
    };
    std::set<std::string> kinds;
    for (int32_t i = 0; iqa_option_kind(i) != nullptr; ++i) {
        const std::string kind = iqa_option_kind(i);
        CHECK(kinds.insert(kind).second);
        std::set<std::string> names, groups;
        for (const iqa_option_info &info : describe_all(kind)) {
            INFO(kind << " " << info.name);
            check_name(info.name);
            CHECK(names.insert(info.name).second);
            if (*info.group != '\0')
                groups.insert(info.group);
            std::set<std::string> words, constants;
            std::set<double> values;
            for (int32_t w = 0; w < info.word_count; ++w) {
                check_name(info.words[w].name);
                CHECK(words.insert(info.words[w].name).second);
                CHECK(values.insert(info.words[w].value).second);
                CHECK(constants.insert(info.words[w].constant).second);
                CHECK((info.type == IQA_OPTION_FLAG || std::string(info.words[w].constant).substr(0, 4) == "IQA_"));
            }
            CHECK((info.type == IQA_OPTION_WORD || info.type == IQA_OPTION_FLAG || info.word_count < 3));
            const std::set<std::string> later{"fid weights",  "fid layer",   "fid resize",
                                              "errors alone", "kid draw_by", "inception_score draw_by"};
            const bool is_later =
                kind == "network" || kind == "prdc" || later.count(std::string(kind) + " " + info.name) != 0;
            CHECK(std::string(info.since) == (is_later ? "0.2" : "0.1"));
            const std::string help = info.help;
            CHECK((help.size() > 10 && help.back() != '.' && help.find('|') == std::string::npos));
        }
        for (const std::string &group : groups)
            CHECK(names.count(group) == 0);
    }
    CHECK(iqa_option_kind(-1) == nullptr);
    CHECK(kinds == std::set<std::string>{"ssim", "psnr", "errors", "fid", "kid", "prdc", "inception_score", "confusion",
                                         "confusion_reading", "network", "context"});
}

TEST_CASE("described defaults are those of the header", "[names]")
{
    const iqa_ssim_options ssim = IQA_SSIM_OPTIONS_INIT;
    const iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    const iqa_errors_options errors = IQA_ERRORS_OPTIONS_INIT;
    const iqa_fid_options fid = IQA_FID_OPTIONS_INIT;
    const iqa_kid_options kid = IQA_KID_OPTIONS_INIT;
    const iqa_prdc_options prdc = IQA_PRDC_OPTIONS_INIT;
    const iqa_inception_score_options inception_score = IQA_INCEPTION_SCORE_OPTIONS_INIT;
    const iqa_confusion_options confusion = IQA_CONFUSION_OPTIONS_INIT;
    const iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    const iqa_network_options network = IQA_NETWORK_OPTIONS_INIT;
    const iqa_context_options context = IQA_CONTEXT_OPTIONS_INIT;
    const std::pair<const char *, const void *> kinds[] = {
        {"ssim", &ssim},
        {"psnr", &psnr},
        {"errors", &errors},
        {"fid", &fid},
        {"kid", &kid},
        {"prdc", &prdc},
        {"inception_score", &inception_score},
        {"confusion", &confusion},
        {"confusion_reading", &reading},
        {"network", &network},
        {"context", &context},
    };
    for (const auto &[kind, options] : kinds)
        for (const iqa_option_info &info : describe_all(kind)) {
            INFO(kind << " " << info.name);
            if (info.offset < 0)
                CHECK(std::isnan(info.default_value));
            else if (info.type != IQA_OPTION_CLASSES)
                CHECK(info.default_value == number_at(info, options));
        }
}

TEST_CASE("what iqa_option_describe() says of some options", "[names]")
{
    const std::vector<iqa_option_info> ssim = describe_all("ssim");
    CHECK(ssim.size() == 34);
    CHECK(std::string(ssim[0].name) == "preset");
    CHECK((ssim[0].word_count == 23 && ssim[0].type == IQA_OPTION_WORD && ssim[0].in_state == 0));
    for (int32_t preset = 0; preset < 23; ++preset) {
        CHECK(std::string(ssim[0].words[preset].name) == iqa_ssim_preset_name(preset));
        CHECK(ssim[0].words[preset].value == preset);
    }
    CHECK(std::string(ssim[0].words[22].constant) == "IQA_MS_SSIM_PYIQA");
    const iqa_option_info &size = ssim[4];
    CHECK(std::string(size.name) == "size_z");
    CHECK(std::string(size.group) == "size");
    CHECK((size.type == IQA_OPTION_INT32 && size.length == 1 && size.offset == offsetof(iqa_ssim_options, size_z)));
    CHECK((size.least == 1 && size.most == 4095 && size.odd == 1 && size.in_state == 1));
    CHECK((size.word_count == 2 && size.words[1].value == -2));
    CHECK(std::string(size.words[1].name) == "auto_ceiling");
    CHECK(std::string(size.words[1].constant) == "IQA_SIZE_AUTO_CEILING");
    const iqa_option_info &sigma = ssim[9];
    CHECK(std::string(sigma.name) == "sigma_z");
    CHECK((sigma.least == 0 && sigma.least_is_open == 1 && sigma.most_is_open == 1 && std::isinf(sigma.most)));
    const iqa_option_info &weights = ssim[27];
    CHECK(std::string(weights.name) == "scale_weights");
    CHECK((weights.length == IQA_MOST_SCALES && weights.default_value == 1));
    CHECK(describe("kid", 1).in_state == 0);
    CHECK((describe("confusion_reading", 7).type == IQA_OPTION_CLASSES &&
           describe("confusion_reading", 7).in_state == 1));
    CHECK(describe("Confusion-Reading", 0).word_count == 8);
}

TEST_CASE("iqa_option_describe() keeps to the size that it is given", "[names]")
{
    const iqa_option_info whole = describe("ssim", 4);
    for (size_t size = sizeof(uint32_t); size <= sizeof whole + 8; ++size) {
        unsigned char bytes[sizeof whole + 16];
        std::memset(bytes, 0xa5, sizeof bytes);
        const uint32_t stated = uint32_t(size);
        std::memcpy(bytes, &stated, sizeof stated);
        REQUIRE(iqa_option_describe("ssim", 4, reinterpret_cast<iqa_option_info *>(bytes)) == IQA_OK);
        CHECK(std::memcmp(bytes, &stated, sizeof stated) == 0);
        const size_t common = std::min(size, sizeof whole);
        CHECK(std::memcmp(bytes + 4, reinterpret_cast<const unsigned char *>(&whole) + 4, common - 4) == 0);
        CHECK(bytes[size] == 0xa5);
    }
    const auto refused = [](const char *kind, int32_t index, uint32_t size, const std::string &expected) {
        iqa_option_info info = IQA_OPTION_INFO_INIT;
        info.struct_size = size;
        CHECK(iqa_option_describe(kind, index, &info) == IQA_ERROR_INVALID_ARGUMENT);
        CHECK(std::string(iqa_context_error(nullptr)) == expected);
    };
    const uint32_t size = sizeof whole;
    refused("ssim", 34, size, "index is 34; ssim has the options 0 to 33");
    refused("fid", -1, size, "index is -1; fid has the options 0 to 5");
    refused(nullptr, 0, size, "kind is NULL");
    refused(
        "psrn", 0, size,
        "kind is \"psrn\", did you mean \"psnr\"? Expected one of ssim, psnr, errors, fid, kid, prdc, inception_score, "
        "confusion, confusion_reading, network, context");
    refused("ssim", 0, 3, "iqa_option_info.struct_size is 3; expected sizeof(iqa_option_info), which is at most 4096");
    refused("ssim", 0, 4097,
            "iqa_option_info.struct_size is 4097; expected sizeof(iqa_option_info), which is at most 4096");
    CHECK(iqa_option_describe("ssim", 0, nullptr) == IQA_ERROR_INVALID_ARGUMENT);
}

// The sizes are those that docs/reference/abi.md states.
TEST_CASE("fields of a state have the order and size of their rows", "[names]")
{
    CHECK(iqa::state_bytes(iqa::ssim_option_table) == 272);
    CHECK(iqa::state_bytes(iqa::psnr_option_table) == 60);
    CHECK(iqa::state_bytes(iqa::errors_option_table) == 44);
    CHECK(iqa::state_bytes(iqa::errors_option_table, false) == 40);
    CHECK(iqa::state_bytes(iqa::fid_option_table) == 28);
    CHECK(iqa::state_bytes(iqa::fid_option_table, false) == 12);
    CHECK(iqa::state_bytes(iqa::confusion_option_table) + iqa::state_bytes(iqa::confusion_reading_table) == 104);
    CHECK(iqa::state_bytes(iqa::kid_option_table) == 0);

    iqa_psnr_options psnr = IQA_PSNR_OPTIONS_INIT;
    psnr.layout = 1;
    psnr.aggregate = 2;
    psnr.data_low = -2.5;
    psnr.gradient = 0x01020304;
    std::array<std::byte, sizeof psnr> room{};
    const std::span<const std::byte> bytes = iqa::psnr_option_table.write(psnr, room);
    REQUIRE(bytes.size() == 60);
    iqa::byte_reader reader(bytes);
    CHECK(reader.get<int32_t>() == 1);
    CHECK(reader.get<int32_t>() == 2);
    CHECK(reader.get<int32_t>() == IQA_NONFINITE_ERROR);
    CHECK(reader.get<double>() == -2.5);
    CHECK(bytes[56] == std::byte{4});
    const iqa_psnr_options back = iqa::psnr_option_table.read(iqa::byte_reader(bytes));
    CHECK(std::memcmp(&back, &psnr, sizeof psnr) == 0);
    CHECK_THROWS_AS(iqa::psnr_option_table.read(iqa::byte_reader(bytes.first(59))), iqa::error);
}

TEST_CASE("presets by text are those of the functions", "[names]")
{
    for (int32_t preset = 0; iqa_ssim_preset_name(preset) != nullptr; ++preset) {
        iqa_ssim_options options;
        REQUIRE(iqa_ssim_options_preset(&options, sizeof options, preset) == IQA_OK);
        options.data_low = 0;
        options.data_high = 255;
        const made of_struct =
            make([&](iqa_context *context, iqa_metric **out) { return iqa_ssim_create(context, &options, out); });
        CHECK(check_same("ssim", "data_range=255, preset=" + std::string(iqa_ssim_preset_name(preset)), of_struct));
    }
    const iqa_option_info conventions = describe("confusion_reading", 0);
    for (int32_t convention = 0; convention < conventions.word_count; ++convention) {
        iqa_confusion_reading reading;
        REQUIRE(iqa_confusion_reading_preset(&reading, sizeof reading, convention) == IQA_OK);
        iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
        options.classes = 3;
        options.reading = &reading;
        const made of_struct =
            make([&](iqa_context *context, iqa_metric **out) { return iqa_confusion_create(context, &options, out); });
        CHECK(check_same("confusion", "preset=" + std::string(conventions.words[convention].name) + ",classes=3",
                         of_struct));
    }
}

TEST_CASE("random options by text are those of structs", "[names]")
{
    int good = 0;
    int bad = 0;
    for (uint32_t seed = 0; seed < 1500; ++seed) {
        random_options random(seed);
        made of_struct;
        const char *kind = nullptr;
        if (seed % 4 == 0) {
            kind = "ssim";
            iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
            random.change(kind, options);
            of_struct =
                make([&](iqa_context *context, iqa_metric **out) { return iqa_ssim_create(context, &options, out); });
        } else if (seed % 4 == 1) {
            kind = "psnr";
            iqa_psnr_options options = IQA_PSNR_OPTIONS_INIT;
            random.change(kind, options);
            of_struct =
                make([&](iqa_context *context, iqa_metric **out) { return iqa_psnr_create(context, &options, out); });
        } else if (seed % 4 == 2) {
            kind = "fid";
            iqa_fid_options options = IQA_FID_OPTIONS_INIT;
            options.features = 7;
            random.text = "";
            random.change(kind, options);
            if (random.text.find("features") == std::string::npos)
                random.text += (random.text.empty() ? "" : ",") + std::string("features=7");
            of_struct =
                make([&](iqa_context *context, iqa_metric **out) { return iqa_fid_create(context, &options, out); });
        } else {
            kind = "confusion";
            iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
            iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
            random.change("confusion", options);
            random.change("confusion_reading", reading);
            options.reading = &reading;
            of_struct = make(
                [&](iqa_context *context, iqa_metric **out) { return iqa_confusion_create(context, &options, out); });
        }
        (check_same(kind, random.text, of_struct) ? good : bad) += 1;
    }
    CHECK(good > 200);
    CHECK(bad > 200);
}

TEST_CASE("groups, arrays and classes by text", "[names]")
{
    const auto ssim = [](auto change) {
        iqa_ssim_options options = IQA_SSIM_OPTIONS_INIT;
        change(options);
        return make([&](iqa_context *context, iqa_metric **out) { return iqa_ssim_create(context, &options, out); });
    };
    CHECK(check_same("ssim", "", ssim([](auto &) {})));
    CHECK(check_same("ssim", "   ", ssim([](auto &) {})));
    CHECK(check_same("ssim", "layout=dhw,size=3:5:7", ssim([](auto &o) {
                         o.layout = IQA_LAYOUT_DHW;
                         o.size_z = 3;
                         o.size_y = 5;
                         o.size_x = 7;
                     })));
    CHECK(check_same("ssim", "sigma=0.5:2", ssim([](auto &o) {
                         o.sigma_y = 0.5;
                         o.sigma_x = 2;
                     })));
    CHECK(check_same("ssim", "sigma = 2 , sigma-x = 1", ssim([](auto &o) {
                         o.sigma_z = o.sigma_y = 2;
                         o.sigma_x = 1;
                     })));
    CHECK(check_same("ssim", "size=9:auto", ssim([](auto &o) { o.size_y = 9; })));
    CHECK(check_same("ssim", "data_range=-1:1", ssim([](auto &o) { o.data_low = -1, o.data_high = 1; })));
    CHECK(check_same("ssim", "data_range=1e2", ssim([](auto &o) { o.data_low = 0, o.data_high = 100; })));
    CHECK(check_same("ssim", "scale_weights=0.25:0.75", ssim([](auto &o) {
                         o.scales = 2;
                         o.scale_weights[0] = 0.25;
                         o.scale_weights[1] = 0.75;
                     })));
    CHECK(check_same("ssim", "parts=true,luma-rounded=0", ssim([](auto &o) { o.parts = 1; })));

    const uint8_t excluded[4] = {1, 0, 0, 1};
    iqa_confusion_reading reading = IQA_CONFUSION_READING_INIT;
    reading.excluded = excluded;
    reading.excluded_count = 4;
    iqa_confusion_options options = IQA_CONFUSION_OPTIONS_INIT;
    options.classes = 4;
    options.reading = &reading;
    options.ignore = 1;
    options.ignore_label = INT64_MIN;
    const made of_struct =
        make([&](iqa_context *context, iqa_metric **out) { return iqa_confusion_create(context, &options, out); });
    CHECK(check_same("confusion", "excluded=0:3,classes=4,ignore=1,ignore_label=-9223372036854775808", of_struct));
    const made defaults =
        make([&](iqa_context *context, iqa_metric **out) { return iqa_metric_create(context, "ssim", nullptr, out); });
    CHECK(defaults.fingerprint == ssim([](auto &) {}).fingerprint);
}

TEST_CASE("what is wrong with a text is said in its words", "[names]")
{
    check_error("ssim", "windw=gaussian", "ssim: \"windw\" is no option, did you mean \"window\"?");
    check_error("ssim", "mask_mode=map", "ssim: \"mask_mode\" is no option, did you mean \"mask\"?");
    check_error("ssim", "sice=3", "ssim: \"sice\" is no option, did you mean \"size\"?");
    check_error("ssim", "presett=piq", "ssim: \"presett\" is no option, did you mean \"preset\"?");
    check_error("ssim", "quality=3", "ssim: \"quality\" is no option; expected one that iqa_option_describe() lists");
    check_error("psnr", "preset=piq", "psnr: \"preset\" is no option; expected one that iqa_option_describe() lists");
    check_error("ssim", "window=gausian",
                "ssim: window is \"gausian\", did you mean \"gaussian\"? Expected gaussian, uniform or blocks");
    check_error("ssim", "window=1", "ssim: window is \"1\"; expected gaussian, uniform or blocks");
    check_error("ssim", "window=", "ssim: window is \"\"; expected gaussian, uniform or blocks");
    check_error("ssim", "parts=maybe", "ssim: parts is \"maybe\"; expected false or true");
    check_error("ssim", "parts=2", "ssim: parts is 2; expected 0 or 1");
    check_error("ssim", "shave=1.5", "ssim: shave is \"1.5\"; expected an integer");
    check_error("ssim", "shave=99999999999", "ssim: shave is \"99999999999\"; expected an integer");
    check_error("ssim", "k1=0,01", "ssim: \"01\" is no option; expected KEY=VALUE");
    check_error("ssim", "k1=1e999", "ssim: k1 is \"1e999\"; expected a number");
    check_error("ssim", "k1=0x1", "ssim: k1 is \"0x1\"; expected a number");
    check_error("ssim", "k1=nan", "ssim: k1 is nan; expected a finite number of at least 0");
    check_error("ssim", "k1=-1", "ssim: k1 is -1; expected a finite number of at least 0");
    check_error("ssim", "sigma=1:2:3:4",
                "ssim: sigma is \"1:2:3:4\"; expected a number, or up to 3 of them with ':' between them");
    check_error("ssim", "size=4:big",
                "ssim: size is \"4:big\"; expected auto, auto_ceiling or an odd integer, or up to 3 of them with ':' "
                "between them");
    check_error("ssim", "size=4", "ssim: size_y is 4; expected an odd number from 1 to 4095, or IQA_SIZE_AUTO");
    check_error("ssim", "scale_weights=1:1:1:1:1:1:1:1:1:1:1:1:1",
                "ssim: scale_weights is \"1:1:1:1:1:1:1:1:1:1:1:1:1\"; expected a number, or up to 12 of them with ':' "
                "between them");
    check_error("ssim", "scale_weights=0.5:-0.5",
                "ssim: scale_weights[1] is -0.5; expected a finite number of at least 0");
    check_error("ssim", "size", "ssim: \"size\" is no option; expected KEY=VALUE");
    check_error("ssim", "=3", "ssim: \"=3\" is no option; expected KEY=VALUE");
    check_error("ssim", "k1=1,", "ssim: \"\" is no option; expected KEY=VALUE");
    check_error("ssim", "k1=1,K1=2", "ssim: K1 is \"2\", but it was \"1\" before; expected it once");
    check_error("ssim", "preset=piq,preset=piq",
                "ssim: preset is \"piq\", but it was \"piq\" before; expected it once");
    check_error("ssim", std::string(500, 'x') + "=1",
                "ssim: \"" + std::string(40, 'x') +
                    "...\" is no option; expected one that iqa_option_describe() lists");
    check_error("confusion", "preset=mmseg,classes=2",
                "confusion: preset is \"mmseg\", did you mean \"mmsegmentation\"? Expected scikit_learn, torchmetrics, "
                "torchmetrics_multilabel, torchmetrics_dice, torchmetrics_mean_iou, monai, monai_keep_empty or "
                "mmsegmentation");
    check_error("confusion", "", "confusion: classes is 0; expected 1 to 65536");
    check_error("confusion", "classes=3,excluded=0:3",
                "confusion: excluded has \"3\"; expected class numbers from 0 to 2 with ':' between them");
    check_error("confusion", "classes=3,excluded=",
                "confusion: excluded has \"\"; expected class numbers from 0 to 2 with ':' between them");
    check_error("confusion", "classes=3,reading=1",
                "confusion: \"reading\" is no option; expected one that iqa_option_describe() lists");
    check_error("fid", "word_bits=16", "fid: word_bits is \"16\", did you mean \"24\"? Expected 24 or 32");
    check_error("ssmi", "",
                "kind is \"ssmi\", did you mean \"ssim\"? Expected one of ssim, psnr, errors, fid, confusion");
    check_error("vmaf", "", "kind is \"vmaf\"; expected one of ssim, psnr, errors, fid, confusion");
    check_error("kid", "degree=3", "kind is \"kid\", which is no metric: iqa_measure_kid() measures it at once");
    check_error("inception_score", "",
                "kind is \"inception_score\", which is no metric: iqa_measure_inception_score() measures it at once");
    check_error("confusion_reading", "",
                "kind is \"confusion_reading\", which is no metric: \"confusion\" takes its options too");
    check_error("context", "", "kind is \"context\", which is no metric: iqa_context_create() takes its options");

    const context_pointer context = make_context();
    iqa_metric *metric = nullptr;
    CHECK(iqa_metric_create(context.get(), nullptr, "", &metric) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(std::string(iqa_context_error(context.get())) == "kind is NULL");
    CHECK(iqa_metric_create(context.get(), "ssim", "", nullptr) == IQA_ERROR_INVALID_ARGUMENT);
    CHECK(iqa_metric_create(nullptr, "ssim", "", &metric) == IQA_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("a suggestion is the nearest word", "[names]")
{
    const auto best = [](std::string_view typed, std::initializer_list<const char *> words) {
        iqa::suggestion likely(typed);
        for (const char *word : words)
            likely.consider(word);
        return std::string(likely.best());
    };
    CHECK(best("ffmpg", {"piq", "ffmpeg"}) == "ffmpeg");
    CHECK(best("FFMPEG-", {"piq", "ffmpeg"}) == "ffmpeg");
    CHECK(best("reflct", {"reflect", "replicate"}) == "reflect");
    CHECK(best("bt601 full", {"bt601_full", "bt709_full"}) == "bt601_full");
    CHECK(best("wholly_other", {"reflect", "replicate"}).empty());
    CHECK(best("mm", {"mmsegmentation"}).empty());
    CHECK(best(std::string(65, 'a'), {"aaa"}).empty());
}

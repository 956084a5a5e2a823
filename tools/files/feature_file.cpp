// SPDX-License-Identifier: MIT
// Past 400 lines: inspecting and reading of each kind share its layout.
#include "files/feature_file.hpp"

#include "options/library_options.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>

namespace iqa_tool {

namespace {

using namespace std::string_view_literals;

constexpr int64_t most_features = 16384;                    // of iqa_fid_options
constexpr int64_t most_rows = int64_t{1} << 40;             // more than a state holds, and sizes cannot overflow
constexpr std::size_t most_header_bytes = 1 << 20;          // NumPy itself refuses more than 10,000
constexpr uint64_t most_unpacked_bytes = uint64_t{1} << 32; // of an array that goes through a temporary file

// The header of a state file: docs/reference/abi.md.
constexpr std::string_view state_magic = "IQAS";
constexpr std::size_t state_kind_at = 6, state_options_size_at = 8, state_options_at = 16, state_options_size = 12;
constexpr int state_kind_fid = 16;

std::string shape_text(const npy_header &header)
{
    std::string text;
    for (const int64_t extent : header.shape)
        text += (text.empty() ? "" : " x ") + std::to_string(extent);
    return "[" + text + "] of " + dtype_name(header.dtype);
}

npy_header read_header(byte_source &source)
{
    std::vector<std::byte> bytes(npy_prefix_size);
    bytes.resize(source.read(bytes));
    const std::size_t known = bytes.size();
    const std::size_t size = npy_header_size(bytes);
    if (size > known && size <= most_header_bytes) {
        bytes.resize(size);
        bytes.resize(known + source.read(std::span(bytes).subspan(known)));
    }
    return decode_npy_header(bytes);
}

// Throws unless the file has the bytes that its header promises. The extents are bounded: no product overflows.
void check_size(const npy_header &header, uint64_t file_size)
{
    uint64_t stated = dtype_size(header.dtype);
    for (const int64_t extent : header.shape)
        stated *= static_cast<uint64_t>(extent);
    const uint64_t found = file_size - std::min<uint64_t>(file_size, header.size);
    if (found != stated)
        throw image_error(std::string(found < stated ? "ends too early" : "goes on behind its last element") +
                          ": its header says " + shape_text(header) + ", which take " + std::to_string(stated) +
                          " bytes, and " + std::to_string(found) + " follow");
}

// The header of a table of rows, with `source` at the first element.
npy_header read_table_header(byte_source &source)
{
    npy_header header = read_header(source);
    if (header.shape.size() != 2)
        throw image_error("has " + std::to_string(header.shape.size()) + " axes: " + shape_text(header) +
                          "; expected two, rows and features");
    if (header.shape[1] < 1 || header.shape[1] > most_features || header.shape[0] > most_rows)
        throw image_error("has shape " + shape_text(header) + "; expected rows of 1 to " +
                          std::to_string(most_features) + " features");
    check_size(header, source.size());
    return header;
}

// Runs `work` and puts the name of the array, if any, before the text of an error.
template <typename function>
auto blame_array(const std::string &array, function work)
{
    try {
        return work();
    } catch (const image_error &problem) {
        throw array.empty() ? problem : image_error("array \"" + array + "\" " + problem.what());
    }
}

void check_features(int64_t features, const feature_options &options)
{
    if (options.dims > 0 && features != options.dims)
        throw image_error("has " + std::to_string(features) + " features in a row; --dims says " +
                          std::to_string(options.dims));
}

void inspect_npy(feature_file &file, byte_source &source)
{
    file.format = "npy";
    file.tables.push_back({"", read_table_header(source)});
    file.features = file.tables[0].header.shape[1];
}

// The header of `mu` or `sigma`, with `source` at the first element.
npy_header read_statistics_header(byte_source &source, std::size_t axes)
{
    npy_header header = read_header(source);
    const std::vector<int64_t> &shape = header.shape;
    const bool fits =
        shape.size() == axes && shape.front() == shape.back() && shape.front() >= 1 && shape.front() <= most_features;
    if (!fits)
        throw image_error("has shape " + shape_text(header) +
                          (axes == 1 ? "; expected the mean, [D]" : "; expected the covariance, [D x D]") +
                          " with D from 1 to " + std::to_string(most_features));
    check_size(header, source.size());
    return header;
}

constexpr uint64_t most_origin_bytes = 1 << 12;

// The constant that a word of the library stands for, and the other way round.
int32_t constant_of(const char *option, const std::string &word)
{
    const iqa_option_info info = described("fid", option);
    for (int32_t i = 0; i < info.word_count; ++i)
        if (info.words[i].name == word)
            return static_cast<int32_t>(info.words[i].value);
    throw image_error("says " + std::string(option) + " " + word + ", which this program does not know");
}

std::string name_of(const char *option, int32_t constant)
{
    const iqa_option_info info = described("fid", option);
    for (int32_t i = 0; i < info.word_count; ++i)
        if (info.words[i].value == constant)
            return info.words[i].name;
    return std::to_string(constant);
}

feature_origin read_origin(const npz_archive &archive)
{
    const loaded_array text = read_array(archive, "origin", IQA_UINT8, most_origin_bytes);
    const char *const first = reinterpret_cast<const char *>(text.bytes().data());
    return blame_array("origin", [&] {
        try {
            const auto object = nlohmann::json::parse(first, first + text.bytes().size());
            const auto digits = object.at("weights").get<std::string>();
            feature_origin origin;
            const char *const last = digits.data() + digits.size();
            const auto [end, status] = std::from_chars(digits.data(), last, origin.weights, 16);
            if (status != std::errc() || end != last)
                throw image_error("has weights that are no hexadecimal number");
            origin.layer = constant_of("layer", object.at("layer").get<std::string>());
            origin.resize = constant_of("resize", object.at("resize").get<std::string>());
            return origin;
        } catch (const nlohmann::json::exception &) {
            throw image_error("is no JSON object with weights, layer and resize");
        }
    });
}

void inspect_npz(feature_file &file, const feature_options &options)
{
    file.format = "npz";
    const npz_archive archive(file.path);
    std::vector<std::string> names = archive.names();
    const auto has = [&names](const std::string &name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (names.empty())
        throw image_error("holds no arrays");
    if (options.array.empty() && has("mu") && has("sigma")) {
        file.kind = feature_kind::statistics;
        const npy_header mean = blame_array("mu", [&] { return read_statistics_header(*archive.open("mu"), 1); });
        const npy_header covariance =
            blame_array("sigma", [&] { return read_statistics_header(*archive.open("sigma"), 2); });
        if (has("origin"))
            file.origin = read_origin(archive);
        if (mean.shape[0] != covariance.shape[0])
            throw image_error("has mu of shape " + shape_text(mean) + " but sigma of shape " + shape_text(covariance));
        file.features = mean.shape[0];
        return;
    }
    if (!options.array.empty()) {
        if (!has(options.array))
            throw image_error("has no array \"" + options.array + "\", but " +
                              std::accumulate(names.begin() + 1, names.end(), names[0],
                                              [](const std::string &a, const std::string &b) { return a + ", " + b; }));
        names = {options.array};
    }
    for (const std::string &name : names) {
        file.tables.push_back({name, blame_array(name, [&] { return read_table_header(*archive.open(name)); })});
        const int64_t features = file.tables.back().header.shape[1];
        if (features != file.tables[0].header.shape[1])
            throw image_error("has arrays with different numbers of features: " + names[0] + " " +
                              shape_text(file.tables[0].header) + ", " + name + " " +
                              shape_text(file.tables.back().header) + "; --array chooses one");
    }
    file.features = file.tables[0].header.shape[1];
}

template <typename integer>
integer little_endian(std::span<const std::byte> bytes)
{
    uint64_t value = 0;
    for (std::size_t index = sizeof(integer); index-- > 0;)
        value = value << 8 | std::to_integer<uint64_t>(bytes[index]);
    return static_cast<integer>(value);
}

void inspect_state(feature_file &file, std::span<const std::byte> start)
{
    file.format = "state";
    file.kind = feature_kind::state;
    if (start.size() < state_options_at + state_options_size)
        throw image_error("is a state that ends too early");
    if (little_endian<uint16_t>(start.subspan(state_kind_at)) != state_kind_fid)
        throw image_error("is the state of another metric than FID");
    const std::span<const std::byte> options = start.subspan(state_options_at);
    file.features = little_endian<int32_t>(options);
    file.fraction_bits = little_endian<int32_t>(options.subspan(4));
    file.word_bits = little_endian<int32_t>(options.subspan(8));
    if (little_endian<uint32_t>(start.subspan(state_options_size_at)) >= state_options_size + state_origin_size &&
        options.size() >= state_options_size + state_origin_size)
        file.origin = {little_endian<uint64_t>(options.subspan(12)), little_endian<int32_t>(options.subspan(20)),
                       little_endian<int32_t>(options.subspan(24))};
    if (file.features < 1 || file.features > most_features)
        throw image_error("is a damaged state: it says " + std::to_string(file.features) + " features");
}

void inspect_raw(feature_file &file, uint64_t size, int64_t features)
{
    file.format = "raw";
    const uint64_t row_size = static_cast<uint64_t>(features) * sizeof(float);
    if (size % row_size != 0)
        throw image_error("has " + std::to_string(size) + " bytes, which are no whole rows of " +
                          std::to_string(features) + " float32 numbers");
    const bool foreign = std::endian::native != std::endian::little;
    file.tables.push_back({"", {IQA_FLOAT32, foreign, false, {static_cast<int64_t>(size / row_size), features}, 0}});
    file.features = features;
}

// The format that a file name promises, if its first bytes can be checked against it; else "".
std::string_view stated_format(std::string_view path)
{
    for (const std::string_view ending : {".npy"sv, ".npz"sv, ".iqa"sv})
        if (path.ends_with(ending))
            return ending;
    return "";
}

// A block of rows on its way from a file to the library.
class row_block {
public:
    row_block(const npy_header &header, int64_t rows)
        : header_(header),
          most_rows_(std::min(rows, header.shape[0])),
          raw_(static_cast<std::size_t>(most_rows_ * header.shape[1]) * dtype_size(header.dtype)),
          widened_(dtype_is_float(header.dtype) ? 0 : static_cast<std::size_t>(most_rows_ * header.shape[1]))
    {
    }

    int64_t most_rows() const noexcept { return most_rows_; }

    // The bytes of `rows` whole rows, or with Fortran order of `rows` elements of one column.
    std::span<std::byte> bytes_of_rows(int64_t rows) { return part(0, rows * header_.shape[1]); }
    std::span<std::byte> bytes_of_column(int64_t column, int64_t rows) { return part(column * rows, rows); }

    // The rows as a tensor.
    iqa_tensor tensor(int64_t rows)
    {
        const std::span<std::byte> bytes = bytes_of_rows(rows);
        if (header_.has_foreign_bytes)
            reverse_bytes_of_elements(bytes, dtype_size(header_.dtype));
        shape_ = {rows, header_.shape[1]};
        strides_ = header_.is_fortran_order ? std::array{int64_t{1}, rows} : std::array{header_.shape[1], int64_t{1}};
        iqa_tensor view = dtype_is_float(header_.dtype) ? iqa_cpu_tensor(bytes.data(), header_.dtype, 2, shape_.data())
                                                        : iqa_cpu_tensor(widen(bytes), IQA_FLOAT32, 2, shape_.data());
        view.strides = strides_.data();
        return view;
    }

private:
    std::span<std::byte> part(int64_t first, int64_t count)
    {
        const std::size_t size = dtype_size(header_.dtype);
        return std::span(raw_.data(), raw_.size())
            .subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(count) * size);
    }

    const float *widen(std::span<const std::byte> bytes)
    {
        switch (header_.dtype) {
        case IQA_UINT8:
            return widen_from<uint8_t>(bytes);
        case IQA_UINT16:
            return widen_from<uint16_t>(bytes);
        default:
            return widen_from<int16_t>(bytes);
        }
    }

    template <typename integer>
    const float *widen_from(std::span<const std::byte> bytes)
    {
        for (std::size_t index = 0; index < bytes.size() / sizeof(integer); ++index) {
            integer value{};
            std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
            widened_[index] = value;
        }
        return widened_.data();
    }

    const npy_header &header_;
    int64_t most_rows_;
    byte_buffer raw_;
    std::vector<float> widened_;
    std::array<int64_t, 2> shape_{}, strides_{};
};

// About 8 MB of rows, in whole blocks of the library's kernels.
int64_t rows_of_a_block(const npy_header &header)
{
    constexpr int64_t kernel_rows = 508, bytes = 8 << 20;
    const int64_t row_size = header.shape[1] * static_cast<int64_t>(dtype_size(header.dtype));
    return std::max<int64_t>(bytes / row_size / kernel_rows, 1) * kernel_rows;
}

// `source` is at the first element.
void read_table(byte_source &source, const npy_header &header, int64_t first_row,
                const std::function<void(const iqa_tensor &, int64_t)> &take)
{
    row_block block(header, rows_of_a_block(header));
    for (int64_t row = 0, rows = 0; row < header.shape[0]; row += rows) {
        rows = std::min(block.most_rows(), header.shape[0] - row);
        source.fill(block.bytes_of_rows(rows));
        take(block.tensor(rows), first_row + row);
    }
    source.expect_end();
}

// Likewise in Fortran order: reads a part of each column.
void read_columns(file_source &source, uint64_t first_element, const npy_header &header, int64_t first_row,
                  const std::function<void(const iqa_tensor &, int64_t)> &take)
{
    row_block block(header, rows_of_a_block(header));
    for (int64_t row = 0, rows = 0; row < header.shape[0]; row += rows) {
        rows = std::min(block.most_rows(), header.shape[0] - row);
        for (int64_t column = 0; column < header.shape[1]; ++column)
            source.fill_at(first_element +
                               static_cast<uint64_t>(column * header.shape[0] + row) * dtype_size(header.dtype),
                           block.bytes_of_column(column, rows));
        take(block.tensor(rows), first_row + row);
    }
}

loaded_array load(byte_source &source, npy_header header)
{
    byte_buffer elements(static_cast<std::size_t>(source.size()) - header.size);
    source.fill({elements.data(), elements.size()});
    source.expect_end();
    if (header.has_foreign_bytes)
        reverse_bytes_of_elements({elements.data(), elements.size()}, dtype_size(header.dtype));
    return {std::move(header), std::move(elements)};
}

} // namespace

int64_t feature_file::rows() const noexcept
{
    if (kind == feature_kind::picture)
        return 1;
    return std::accumulate(tables.begin(), tables.end(), int64_t{0},
                           [](int64_t sum, const feature_table &table) { return sum + table.rows(); });
}

feature_file inspect_features(const std::string &path, const feature_options &options)
{
    feature_file file;
    file.path = path;
    file_source source(path);
    std::array<std::byte, state_options_at + state_options_size + state_origin_size> storage;
    const std::span<const std::byte> start(storage.data(), source.read(storage));
    const auto begins_with = [start](std::string_view magic) {
        return start.size() >= magic.size() && std::memcmp(start.data(), magic.data(), magic.size()) == 0;
    };
    if (start.empty())
        throw image_error("is empty");
    if (begins_with("\x93NUMPY")) {
        file_source again(path);
        inspect_npy(file, again);
    } else if (begins_with("PK\x03\x04") || begins_with("PK\x05\x06")) {
        inspect_npz(file, options);
    } else if (begins_with(state_magic)) {
        inspect_state(file, start);
    } else if (!stated_format(path).empty()) {
        throw image_error("does not begin as a " + std::string(stated_format(path)) + " file does");
    } else if (options.dims > 0) {
        inspect_raw(file, source.size(), options.dims);
    } else {
        throw image_error("is neither a .npy nor a .npz file nor a state of iqa; raw float32 numbers need --dims");
    }
    check_features(file.features, options);
    return file;
}

void read_rows(const feature_file &file, const std::function<void(const iqa_tensor &, int64_t)> &take)
{
    std::optional<npz_archive> archive;
    if (!file.tables[0].array.empty())
        archive.emplace(file.path);
    int64_t first_row = 0;
    for (const feature_table &table : file.tables) {
        blame_array(table.array, [&] {
            const npy_header &header = table.header;
            const std::unique_ptr<byte_source> source =
                archive ? archive->open(table.array) : std::make_unique<file_source>(file.path);
            byte_buffer skipped(header.size);
            source->fill({skipped.data(), skipped.size()});
            if (!header.is_fortran_order)
                return read_table(*source, header, first_row, take);
            if (!archive)
                return read_columns(static_cast<file_source &>(*source), header.size, header, first_row, take);
            // Compressed bytes can only be read in order.
            const uint64_t size = source->size() - header.size;
            if (size > most_unpacked_bytes)
                throw image_error("is packed, in Fortran order and takes " + std::to_string(size) + " bytes; " +
                                  std::to_string(most_unpacked_bytes) +
                                  " go through a temporary file: store it in C order, or as a .npy file");
            const std::unique_ptr<file_source> unpacked = file_source::copy_of(*source, size);
            read_columns(*unpacked, 0, header, first_row, take);
        });
        first_row += table.rows();
    }
}

loaded_array::loaded_array(npy_header header, byte_buffer elements)
    : header_(std::move(header)), elements_(std::move(elements)), strides_(header_.shape.size())
{
    int64_t stride = 1;
    for (std::size_t step = 0; step < strides_.size(); ++step) {
        const std::size_t position = header_.is_fortran_order ? step : strides_.size() - 1 - step;
        strides_[position] = stride;
        stride *= header_.shape[position];
    }
}

iqa_tensor loaded_array::tensor() const noexcept
{
    iqa_tensor view = iqa_cpu_tensor(elements_.data(), header_.dtype, static_cast<int32_t>(header_.shape.size()),
                                     header_.shape.data());
    view.strides = strides_.data();
    return view;
}

loaded_array read_array(const npz_archive &archive, const std::string &name, int32_t dtype, uint64_t most_bytes)
{
    return blame_array(name, [&] {
        const std::unique_ptr<byte_source> source = archive.open(name);
        npy_header header = read_header(*source);
        const std::vector<int64_t> &shape = header.shape;
        const bool fits = header.dtype == dtype && (shape.size() == 1 || shape.size() == 2) && shape[0] <= most_rows &&
                          (shape.size() == 1 || shape[1] <= most_features) && !header.is_fortran_order;
        if (!fits || source->size() > most_bytes + header.size)
            throw image_error("has shape " + shape_text(header) + ", which does not fit here");
        check_size(header, source->size());
        return load(*source, std::move(header));
    });
}

nlohmann::ordered_json feature_origin::as_json() const
{
    constexpr const char *digits = "0123456789abcdef";
    std::string number(16, '0');
    for (std::size_t i = 0; i < number.size(); ++i)
        number[i] = digits[weights >> (60 - 4 * i) & 15];
    return {{"weights", number}, {"layer", name_of("layer", layer)}, {"resize", name_of("resize", resize)}};
}

std::string feature_origin::text() const
{
    if (!is_stated())
        return "a network that is not stated";
    std::string joined;
    const nlohmann::ordered_json object = as_json();
    for (const auto &[name, word] : object.items())
        joined += (joined.empty() ? "" : ", ") + name + " " + word.get<std::string>();
    return joined;
}

feature_statistics read_statistics(const feature_file &file)
{
    const npz_archive archive(file.path);
    const auto read = [&archive](const std::string &name, std::size_t axes) {
        return blame_array(name, [&] {
            const std::unique_ptr<byte_source> source = archive.open(name);
            npy_header header = read_statistics_header(*source, axes);
            return load(*source, std::move(header));
        });
    };
    return {read("mu", 1), read("sigma", 2)};
}

byte_buffer read_state(const feature_file &file, std::size_t most_bytes)
{
    file_source source(file.path);
    if (source.size() > most_bytes)
        throw image_error("has " + std::to_string(source.size()) + " bytes; a state of " +
                          std::to_string(file.features) + " features has at most " + std::to_string(most_bytes));
    byte_buffer bytes(static_cast<std::size_t>(source.size()));
    source.fill({bytes.data(), bytes.size()});
    return bytes;
}

} // namespace iqa_tool

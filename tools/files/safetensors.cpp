// SPDX-License-Identifier: MIT
#include "files/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

namespace iqa_tool {

namespace {

using nlohmann::json;

constexpr uint64_t most_header_bytes = 100'000'000; // as the format says
constexpr uint64_t most_bytes = uint64_t{1} << 32;

byte_buffer read_bytes(std::FILE *file, std::size_t count)
{
    byte_buffer bytes(count);
    if (std::fread(bytes.data(), 1, count, file) != count)
        throw image_error("ends before its tensors do");
    return bytes;
}

int32_t dtype_of(const std::string &name, const std::string &text)
{
    constexpr std::pair<const char *, int32_t> types[] = {
        {"F16", IQA_FLOAT16}, {"BF16", IQA_BFLOAT16}, {"F32", IQA_FLOAT32}, {"F64", IQA_FLOAT64}, {"I64", IQA_INT64}};
    for (const auto &[word, dtype] : types)
        if (text == word)
            return dtype;
    throw image_error("has the tensor " + name + " of type " + text + "; expected F16, BF16, F32 or F64");
}

} // namespace

weight_file::weight_file(const std::string &path)
{
    const file_handle file = open_regular_file(path);
    struct stat status {};
    if (fstat(fileno(file.get()), &status) != 0)
        throw image_error("cannot be read");
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size < 8 || size > most_bytes)
        throw image_error("has " + std::to_string(size) + " bytes; expected a .safetensors file");
    const byte_buffer length = read_bytes(file.get(), 8);
    uint64_t header_bytes = 0;
    for (std::size_t i = 0; i < 8; ++i)
        header_bytes |= std::to_integer<uint64_t>(length.data()[i]) << (8 * i);
    if (header_bytes > most_header_bytes || header_bytes > size - 8)
        throw image_error("is no .safetensors file: its header would have " + std::to_string(header_bytes) + " bytes");
    const byte_buffer text = read_bytes(file.get(), header_bytes);
    numbers_ = read_bytes(file.get(), size - 8 - header_bytes); // a buffer of its own, since headers have any length
    try {
        const char *const first = reinterpret_cast<const char *>(text.data());
        const json header = json::parse(first, first + text.size()).get<json::object_t>();
        for (const auto &[name, value] : header.items()) {
            if (name == "__metadata__")
                continue;
            const int32_t dtype = dtype_of(name, value.at("dtype").get<std::string>());
            const auto offsets = value.at("data_offsets").get<std::array<uint64_t, 2>>();
            entry &made = entries_.emplace_back(entry{name, value.at("shape").get<std::vector<int64_t>>(), {}});
            uint64_t bytes = dtype_size(dtype);
            for (const int64_t extent : made.shape)
                if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
                    throw image_error("has the tensor " + name + " with an impossible shape");
            if (offsets[0] > offsets[1] || offsets[1] > numbers_.size() || offsets[1] - offsets[0] != bytes ||
                offsets[0] % dtype_size(dtype) != 0)
                throw image_error("has the tensor " + name + " at an impossible place");
            made.tensor = iqa_cpu_tensor(numbers_.data() + offsets[0], dtype, static_cast<int32_t>(made.shape.size()),
                                         made.shape.data());
            tensors_.push_back({made.name.c_str(), &made.tensor});
        }
    } catch (const json::exception &) {
        throw image_error("is no .safetensors file: its header is not as that format has it");
    }
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// Weights of a network from a .safetensors file: eight bytes that say how long the header is, a header in JSON with the
// name, element type, shape and place of each tensor, and the numbers.
#pragma once

#include "files/image.hpp"

#include <deque>
#include <vector>

namespace iqa_tool {

class weight_file {
public:
    // Throws image_error.
    explicit weight_file(const std::string &path);

    // Valid as long as this object is.
    const std::vector<iqa_named_tensor> &tensors() const noexcept { return tensors_; }

private:
    struct entry {
        std::string name;
        std::vector<int64_t> shape;
        iqa_tensor tensor;
    };

    byte_buffer numbers_;
    std::deque<entry> entries_; // which stay where they are
    std::vector<iqa_named_tensor> tensors_;
};

} // namespace iqa_tool

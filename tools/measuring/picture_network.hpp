// SPDX-License-Identifier: MIT
// Features of picture files: a few are decoded at once, by as many threads as the library uses, and then measured.
#pragma once

#include "files/image.hpp"

#include <iqa.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace iqa_tool {

class picture_network {
public:
    // Reads the weights. `owner` must outlive it. Throws file_error.
    picture_network(const iqa::context &owner, const std::string &weights_path, const iqa_network_options &options);

    // How many features a picture has.
    static constexpr int32_t width = 2048;
    // How many files are in memory at once.
    static constexpr std::size_t files_at_once = 16;

    // Calls `take` with rows of features of some files, at most files_at_once; what cannot be read goes to `refuse`,
    // with the name of the file.
    void measure(std::span<const std::string> paths, const std::function<void(const iqa_tensor &)> &take,
                 const std::function<void(const std::string &)> &refuse);

    // Of the weights: 16 hexadecimal digits.
    std::string digest() const;

private:
    struct destroyer {
        void operator()(iqa_network *network) const noexcept { iqa_network_destroy(network); }
    };

    void measure_alike(std::span<const image *const> pictures, const std::function<void(const iqa_tensor &)> &take);

    const iqa::context &owner_;
    std::unique_ptr<iqa_network, destroyer> network_;
};

} // namespace iqa_tool

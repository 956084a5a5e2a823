// SPDX-License-Identifier: MIT
// Features of picture files: while the network works on some, the next ones are decoded.
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

    // A table for each layer, of `count` files from a path on. Each has as many rows, one behind the other: one, but of
    // a .npy file with several pictures.
    using taker = std::function<void(std::size_t first, std::size_t count, std::span<const iqa_tensor> tables)>;

    // Calls `take` with rows of features, in the order of the paths; what cannot be read goes to `refuse`, with the
    // name of the file. Twice at_once() pictures are in memory at most. Throws iqa::error, also where the context's
    // progress function stops it.
    void measure(std::span<const std::string> paths, std::span<const int32_t> layers, const taker &take,
                 const std::function<void(const std::string &)> &refuse);

    // How many pictures the network gets at most.
    std::size_t at_once() const noexcept { return at_once_; }

    uint64_t digest() const;

    // How many features a layer has.
    static int32_t width_of(int32_t layer);

private:
    struct destroyer {
        void operator()(iqa_network *network) const noexcept { iqa_network_destroy(network); }
    };

    struct batch;
    void measure(const batch &pictures, std::span<const int32_t> layers, const taker &take);

    const iqa::context &owner_;
    std::size_t at_once_;
    std::unique_ptr<iqa_network, destroyer> network_;
};

} // namespace iqa_tool

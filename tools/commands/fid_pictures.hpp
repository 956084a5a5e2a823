// SPDX-License-Identifier: MIT
// The pictures of `iqa fid`: their moments, the rows that other metrics need, and the file by which a run goes on.
#pragma once

#include "files/feature_file.hpp"
#include "files/row_file.hpp"
#include "measuring/picture_network.hpp"

#include <iqa.hpp>

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace iqa_tool {

struct metric_destroyer {
    void operator()(iqa_metric *metric) const noexcept { iqa_metric_destroy(metric); }
};
using metric_handle = std::unique_ptr<iqa_metric, metric_destroyer>;

struct picture_plan {
    std::array<std::vector<std::string>, 2> paths; // of each set
    std::array<std::vector<int32_t>, 2> kept;      // the layers whose rows are kept
    std::string resume_path;                       // "": the run cannot be resumed
    std::string features_path; // for the reference set's rows, which a run that can be resumed keeps; "": not written
};

class picture_run {
public:
    // `grid` has the number of features and where they come from. Reads what is known from resume_path, if there is
    // such a file. All that is given must outlive it. Throws file_error.
    picture_run(const iqa::context &owner, picture_network &network, const iqa_fid_options &grid,
                const picture_plan &plan);

    // How many pictures are still to be measured.
    std::size_t left() const noexcept;

    // Measures them and calls `show` with the number of those that are done. False: the user interrupted (to be caught
    // by an interrupt_guard), and what is done is in the file. Throws file_error, iqa::error.
    bool measure(const std::function<void(std::size_t)> &show);

    const iqa_metric *moments() const noexcept { return moments_.get(); }
    // The kept rows of a set, in the order of its paths.
    std::vector<float> rows(std::size_t side, int32_t layer) const;
    // What is wrong with the pictures that could not be measured.
    const std::vector<std::string> &refused() const noexcept { return refused_; }

private:
    // A file as it was when it was measured.
    struct stamp {
        int64_t bytes = 0, nanoseconds = 0;
        bool operator==(const stamp &) const = default;
    };

    struct picture {
        const std::string *path;
        bool is_done = false;
        stamp measured; // only where the run can be resumed
        int64_t row_count = 0;
        std::map<int32_t, std::vector<float>> rows; // by layer
    };

    static stamp stamp_of(const std::string &path);
    bool can_resume() const noexcept { return !plan_.resume_path.empty(); }
    void measure_side(std::size_t side, const std::function<void(std::size_t)> &show);
    void take(std::size_t side, std::span<picture *const> pictures, std::span<const int32_t> layers,
              std::span<const iqa_tensor> tables);
    void load();
    void write_kept_features();
    void load_side(std::size_t side, const nlohmann::json &list,
                   const std::function<loaded_array(int32_t layer, uint64_t bytes)> &rows_of);
    void save();

    const iqa::context &owner_;
    picture_network &network_;
    const iqa_fid_options &grid_;
    const picture_plan &plan_;
    metric_handle moments_;
    std::array<std::vector<picture>, 2> sets_;
    std::vector<std::string> refused_;
    std::optional<row_file> features_;
    std::size_t tried_ = 0;
    std::chrono::steady_clock::time_point next_save_;
};

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// The file by which a run goes on is an .npz archive: `about` is JSON in bytes, the version of this format and for each
// set the pictures that are done, as [path, bytes, time of change in nanoseconds, rows]; `moments` is the state of
// their FID; `reference_L` and `candidate_L` are the rows of layer L that are kept, in the order of those lists.
#include "commands/fid_pictures.hpp"

#include "commands/fid.hpp"
#include "files/feature_file.hpp"
#include "files/file_error.hpp"
#include "files/interrupt.hpp"
#include "files/npz.hpp"
#include "options/library_options.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <unordered_map>

namespace iqa_tool {

namespace {

using json = nlohmann::json;
using clock = std::chrono::steady_clock;

constexpr int format_version = 1;
constexpr uint64_t most_about_bytes = uint64_t{1} << 30;
constexpr auto between_saves = std::chrono::seconds(30);
constexpr int measuring_over_saving = 20; // of the time

std::string name_of_rows(std::size_t side, int32_t layer)
{
    return std::string(fid_side_names[side]) + "_" + word_of("fid", "layer", layer);
}

npz_array array_of_bytes(const std::string &name, const void *data, const int64_t &size)
{
    return {name, iqa_cpu_tensor(const_cast<void *>(data), IQA_UINT8, 1, &size)};
}

} // namespace

picture_run::picture_run(const iqa::context &owner, picture_network &network, const iqa_fid_options &grid,
                         const picture_plan &plan)
    : owner_(owner), network_(network), grid_(grid), plan_(plan)
{
    iqa_metric *created = nullptr;
    owner_.check(iqa_fid_create(owner_.get(), &grid_, &created));
    moments_.reset(created);
    for (std::size_t side = 0; side < sets_.size(); ++side)
        for (const std::string &path : plan_.paths[side])
            sets_[side].push_back({&path, false, can_resume() ? stamp_of(path) : stamp{}, 0, {}});
    if (can_resume() && access(plan_.resume_path.c_str(), F_OK) == 0)
        blame(plan_.resume_path, [&] { load(); });
    if (!plan_.features_path.empty())
        features_.emplace(plan_.features_path, grid_.features);
}

picture_run::stamp picture_run::stamp_of(const std::string &path)
{
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        return {}; // its reader will say so
    return {status.st_size, int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::size_t picture_run::left() const noexcept
{
    std::size_t count = 0;
    for (const std::vector<picture> &set : sets_)
        count += static_cast<std::size_t>(
            std::count_if(set.begin(), set.end(), [](const picture &one) { return !one.is_done; }));
    return count;
}

bool picture_run::measure(const std::function<void(std::size_t)> &show)
{
    next_save_ = clock::now() + between_saves;
    try {
        for (std::size_t side = 0; side < sets_.size(); ++side)
            measure_side(side, show);
    } catch (const iqa::error &problem) {
        if (problem.status() != IQA_ERROR_CANCELLED || interrupted == 0)
            throw;
    }
    if (can_resume())
        save();
    if (interrupted != 0)
        return false;
    if (features_ && can_resume())
        write_kept_features();
    if (features_)
        features_->finish();
    return true;
}

void picture_run::measure_side(std::size_t side, const std::function<void(std::size_t)> &show)
{
    std::vector<picture *> pictures;
    std::vector<std::string> paths;
    for (picture &one : sets_[side])
        if (!one.is_done) {
            pictures.push_back(&one);
            paths.push_back(*one.path);
        }
    std::vector<int32_t> layers{grid_.layer};
    for (const int32_t layer : plan_.kept[side])
        if (layer != grid_.layer)
            layers.push_back(layer);
    network_.measure(
        paths, layers,
        [&](std::size_t first, std::size_t count, std::span<const iqa_tensor> tables) {
            take(side, std::span(pictures).subspan(first, count), layers, tables);
            show(tried_ += count);
            if (can_resume() && clock::now() >= next_save_) {
                const clock::time_point begin = clock::now();
                save();
                next_save_ = clock::now() +
                             std::max<clock::duration>(between_saves, measuring_over_saving * (clock::now() - begin));
            }
        },
        [&](const std::string &problem) {
            refused_.push_back(problem);
            show(++tried_);
        });
}

void picture_run::take(std::size_t side, std::span<picture *const> pictures, std::span<const int32_t> layers,
                       std::span<const iqa_tensor> tables)
{
    const iqa_tensor *sides[2] = {};
    sides[side] = tables.data();
    owner_.check(iqa_metric_update(moments_.get(), sides[0], sides[1], nullptr));
    if (features_ && !can_resume() && side == IQA_FID_REFERENCE)
        features_->add(tables[0]);
    for (std::size_t index = 0; index < layers.size(); ++index) {
        const iqa_tensor &table = tables[index];
        const auto of_one = static_cast<std::size_t>(table.shape[0] * table.shape[1]) / pictures.size();
        const auto *rows = static_cast<const float *>(table.data);
        const std::vector<int32_t> &kept = plan_.kept[side];
        for (picture *one : pictures) {
            one->row_count = table.shape[0] / static_cast<int64_t>(pictures.size());
            one->is_done = true;
            if (std::find(kept.begin(), kept.end(), layers[index]) != kept.end())
                one->rows[layers[index]].assign(rows, rows + of_one);
            rows += of_one;
        }
    }
}

std::vector<float> picture_run::rows(std::size_t side, int32_t layer) const
{
    std::vector<float> all;
    for (const picture &one : sets_[side])
        if (one.is_done)
            all.insert(all.end(), one.rows.at(layer).begin(), one.rows.at(layer).end());
    return all;
}

// In the order of the paths, like those of a run that was not interrupted.
void picture_run::write_kept_features()
{
    for (picture &one : sets_[IQA_FID_REFERENCE])
        if (one.is_done) {
            const int64_t shape[2] = {one.row_count, grid_.features};
            features_->add(iqa_cpu_tensor(one.rows.at(grid_.layer).data(), IQA_FLOAT32, 2, shape));
        }
}

void picture_run::save()
{
    blame(plan_.resume_path, [&] {
        json about = {{"version", format_version}};
        std::array<std::vector<std::vector<float>>, 2> tables;
        std::vector<std::array<int64_t, 2>> shapes;
        std::vector<npz_array> arrays;
        shapes.reserve(plan_.kept[0].size() + plan_.kept[1].size());
        for (std::size_t side = 0; side < sets_.size(); ++side) {
            json &list = about[fid_side_names[side]] = json::array();
            for (const picture &one : sets_[side])
                if (one.is_done)
                    list.push_back({*one.path, one.measured.bytes, one.measured.nanoseconds, one.row_count});
            for (const int32_t layer : plan_.kept[side]) {
                tables[side].push_back(rows(side, layer));
                const int64_t width = picture_network::width_of(layer);
                shapes.push_back({static_cast<int64_t>(tables[side].back().size()) / width, width});
                arrays.push_back({name_of_rows(side, layer),
                                  iqa_cpu_tensor(tables[side].back().data(), IQA_FLOAT32, 2, shapes.back().data())});
            }
        }
        std::string text;
        try {
            text = about.dump();
        } catch (const json::exception &) {
            throw image_error("cannot hold the name of a picture, which is no UTF-8");
        }
        std::size_t size = 0;
        owner_.check(iqa_metric_serialize(moments_.get(), nullptr, 0, &size));
        byte_buffer state(size);
        owner_.check(iqa_metric_serialize(moments_.get(), state.data(), size, nullptr));
        const int64_t sizes[2] = {static_cast<int64_t>(text.size()), static_cast<int64_t>(size)};
        arrays.push_back(array_of_bytes("about", text.data(), sizes[0]));
        arrays.push_back(array_of_bytes("moments", state.data(), sizes[1]));
        output_file out(plan_.resume_path);
        write_npz(out.stream(), arrays);
        out.finish();
    });
}

void picture_run::load()
{
    const npz_archive archive(plan_.resume_path);
    const std::vector<std::string> names = archive.names();
    const auto has = [&](const std::string &name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!has("about") || !has("moments"))
        throw image_error("is no file that --resume has written");
    const loaded_array text = read_array(archive, "about", IQA_UINT8, most_about_bytes);
    std::size_t state_size = 0;
    owner_.check(iqa_metric_serialize(moments_.get(), nullptr, 0, &state_size));
    const loaded_array state = read_array(archive, "moments", IQA_UINT8, state_size);
    iqa_metric *created = nullptr;
    owner_.check(iqa_metric_deserialize(owner_.get(), state.bytes().data(), state.bytes().size(), &created));
    const metric_handle found(created);
    owner_.check(iqa_metric_merge(moments_.get(), found.get()));
    try {
        const char *const first = reinterpret_cast<const char *>(text.bytes().data());
        const json about = json::parse(first, first + text.bytes().size());
        if (about.at("version") != format_version)
            throw image_error("is of a version that this program does not read");
        for (std::size_t side = 0; side < sets_.size(); ++side)
            load_side(side, about.at(fid_side_names[side]), [&](int32_t layer, uint64_t bytes) {
                if (!has(name_of_rows(side, layer)))
                    throw image_error("lacks the rows that --metrics or --features-out needs; it was begun without");
                return read_array(archive, name_of_rows(side, layer), IQA_FLOAT32, bytes);
            });
    } catch (const json::exception &) {
        throw image_error("is damaged: its list of pictures is not as --resume writes it");
    }
}

void picture_run::load_side(std::size_t side, const json &list,
                            const std::function<loaded_array(int32_t, uint64_t)> &rows_of)
{
    std::unordered_map<std::string, picture *> known;
    for (picture &one : sets_[side])
        known.emplace(*one.path, &one);
    std::vector<picture *> done;
    int64_t row_count = 0;
    for (const json &entry : list) {
        const auto path = entry.at(0).get<std::string>();
        const auto one = known.find(path);
        if (one == known.end() || one->second->is_done)
            throw image_error("has the picture " + path + ", which is not in the " + fid_side_names[side] +
                              " set; remove the file to begin anew");
        if (one->second->measured != stamp{entry.at(1).get<int64_t>(), entry.at(2).get<int64_t>()})
            throw image_error("has the picture " + path +
                              " as it was before it changed; remove the file to begin anew");
        one->second->is_done = true;
        one->second->row_count = entry.at(3).get<int64_t>();
        if (one->second->row_count < 1 || __builtin_add_overflow(row_count, one->second->row_count, &row_count))
            throw image_error("is damaged: the picture " + path + " has an impossible number of rows");
        done.push_back(one->second);
    }
    double moments = 0;
    owner_.check(iqa_metric_read(
        moments_.get(), side == IQA_FID_REFERENCE ? IQA_FIELD_FID_ROWS_REFERENCE : IQA_FIELD_FID_ROWS_CANDIDATE,
        &moments, 1, nullptr));
    if (static_cast<double>(row_count) != moments)
        throw image_error("is damaged: it lists other rows than it has");
    for (const int32_t layer : plan_.kept[side]) {
        if (done.empty())
            continue;
        const auto width = static_cast<uint64_t>(picture_network::width_of(layer));
        const uint64_t bytes = static_cast<uint64_t>(row_count) * width * sizeof(float); // rows are at most 2^31
        const loaded_array table = rows_of(layer, bytes);
        if (table.bytes().size() != bytes)
            throw image_error("is damaged: it has too few rows");
        const auto *rows = reinterpret_cast<const float *>(table.bytes().data());
        for (picture *one : done) {
            const uint64_t count = static_cast<uint64_t>(one->row_count) * width;
            one->rows[layer].assign(rows, rows + count);
            rows += count;
        }
    }
}

} // namespace iqa_tool

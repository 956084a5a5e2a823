// SPDX-License-Identifier: MIT
// The run of `iqa fid`: reads all files into metrics, then computes.
#include "commands/fid.hpp"
#include "commands/fid_pictures.hpp"
#include "files/file_error.hpp"
#include "files/interrupt.hpp"
#include "files/npz.hpp"
#include "files/output_file.hpp"
#include "files/pairing.hpp"
#include "measuring/progress.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <memory>

namespace iqa_tool {

namespace {

constexpr int32_t rows_fields[2] = {IQA_FIELD_FID_ROWS_REFERENCE, IQA_FIELD_FID_ROWS_CANDIDATE};
constexpr int32_t mean_fields[2] = {IQA_FIELD_FID_MEAN_REFERENCE, IQA_FIELD_FID_MEAN_CANDIDATE};
constexpr int32_t covariance_fields[2] = {IQA_FIELD_FID_COVARIANCE_REFERENCE, IQA_FIELD_FID_COVARIANCE_CANDIDATE};

// The pictures of a set.
std::vector<std::string> expand_pictures(const std::vector<std::string> &paths, bool recursive)
{
    std::vector<std::string> files;
    for (const std::string &path : paths) {
        if (!is_folder(path)) {
            files.push_back(path);
            continue;
        }
        const listing found = list_files(path, recursive, picture_endings);
        if (found.names.empty())
            throw file_error(path, "holds no picture" +
                                       (found.others.empty() ? "" : ", but " + text_of_others(found.others)) +
                                       (recursive ? "" : "; folders inside are looked at with --recursive"));
        for (const std::string &name : found.names)
            files.push_back(path + "/" + name);
    }
    return files;
}

feature_file picture_file(const std::string &path, const feature_origin &origin)
{
    feature_file file;
    file.path = path;
    file.format = "picture";
    file.kind = feature_kind::picture;
    file.features = picture_network::width_of(origin.layer);
    file.origin = origin;
    return file;
}

// Whether a file is one of features by its name, although pictures are expected.
bool holds_features(const std::string &path)
{
    return path.ends_with(".npz") || path.ends_with(".iqa");
}

constexpr const char *how_to_make_features =
    "--weights FILE makes them of pictures. FILE is made of the weights that pytorch-fid and torch-fidelity use, "
    "pt_inception-2015-12-05-6726825d.pth, by python -m iqa.weights convert IN.pth OUT.safetensors; nothing is "
    "downloaded: docs/guide/fid.md";

// The files of a set; a folder stands for its files with an ending of feature files.
std::vector<std::string> expand(const std::vector<std::string> &paths, bool with_raw)
{
    std::vector<std::string> endings{".npy", ".npz", ".iqa"};
    if (with_raw)
        endings.insert(endings.end(), {".raw", ".bin", ".f32"});
    std::vector<std::string> files;
    for (const std::string &path : paths) {
        if (!is_folder(path)) {
            files.push_back(path);
            continue;
        }
        const listing found = list_files(path, false, endings);
        if (found.names.empty())
            throw file_error(path, "holds no file that ends in .npy, .npz or .iqa" +
                                       std::string(with_raw ? ", .raw, .bin or .f32" : "") +
                                       (found.others.empty() ? "" : ", but " + text_of_others(found.others)) +
                                       ": FID is of features. " + how_to_make_features);
        for (const std::string &name : found.names)
            files.push_back(path + "/" + name);
    }
    return files;
}

std::string grid_text(int32_t fraction_bits, int32_t word_bits)
{
    return "the grid 2^-" + std::to_string(fraction_bits) + " and words of " + std::to_string(word_bits) + " bits";
}

// The library's "reference[3, 5] is nan" counts rows of a block; the result counts rows of the file.
std::string with_row_of_file(std::string text, int64_t first_row)
{
    const std::size_t start = text.find('[') + 1; // 0 without a bracket
    int64_t row = 0;
    const char *const number = text.data() + start;
    const auto [end, status] = std::from_chars(number, text.data() + text.size(), row);
    if (status == std::errc())
        text.replace(start, static_cast<std::size_t>(end - number), std::to_string(first_row + row));
    return text;
}

class fid_run {
public:
    explicit fid_run(const fid_options &options) : options_(options), context_(watched(options.context)) {}

    fid_report run()
    {
        std::optional<interrupt_guard> guard; // until all pictures are in the file by which a run goes on
        if (!options_.resume_path.empty())
            guard.emplace();
        if (!options_.weights_path.empty()) {
            network_.emplace(context_, options_.weights_path, options_.network);
            network_origin_ = {network_->digest(), options_.layer.layer, options_.network.resize};
        }
        for (int side : {IQA_FID_REFERENCE, IQA_FID_CANDIDATE})
            inspect(side);
        check_origins();
        choose_grid();
        iqa_metric *created = nullptr;
        context_.check(iqa_fid_create(context_.get(), &report_.grid, &created));
        metric_.reset(created);

        if (network_ && !measure_pictures())
            return std::move(report_);
        guard.reset();
        int64_t rows = 0;
        for (const fid_set &set : report_.sets)
            for (const feature_file &file : set.files)
                rows += file.rows();
        bar_.emplace(static_cast<std::size_t>(rows), "rows");
        load(IQA_FID_REFERENCE);
        if (!options_.stats_path.empty()) // while the state holds the reference alone
            blame(options_.stats_path, [&] { write_statistics(); });
        load(IQA_FID_CANDIDATE);
        bar_.reset();

        is_computing_ = true;
        if (options_.wants_fid && report_.sets[IQA_FID_CANDIDATE].is_given())
            compute();
        bar_.reset();
        for (const set_metric *metric : options_.others)
            measure(*metric);
        bar_.reset();
        return std::move(report_);
    }

private:
    iqa_context_options watched(iqa_context_options options)
    {
        options.progress = [](void *run, int64_t done, int64_t total) {
            static_cast<fid_run *>(run)->show_computation(done, total);
            return stop_when_interrupted(nullptr, done, total);
        };
        options.progress_user = this;
        return options;
    }

    // While files are read, rows are shown instead of the progress of updates.
    void show_computation(int64_t done, int64_t total)
    {
        if (!is_computing_)
            return;
        if (!bar_)
            bar_.emplace(static_cast<std::size_t>(total), "steps");
        bar_->show(static_cast<std::size_t>(done));
    }

    // Every other file has to fit the first one.
    const feature_file &first_file() const { return report_.sets[IQA_FID_REFERENCE].files.front(); }

    void inspect(int side)
    {
        fid_set &set = report_.sets[static_cast<std::size_t>(side)];
        const std::vector<std::string> &stated = options_.paths[static_cast<std::size_t>(side)];
        const bool of_pictures = !options_.weights_path.empty();
        const std::vector<std::string> paths =
            of_pictures ? expand_pictures(stated, options_.recursive) : expand(stated, options_.input.dims > 0);
        for (const std::string &path : paths) {
            if (of_pictures && !holds_features(path))
                set.files.push_back(picture_file(path, network_origin_));
            else
                set.files.push_back(blame(path, [&] { return inspect_features(path, options_.input); }));
            const feature_file &file = set.files.back();
            if (file.features != first_file().features)
                throw file_error(path, "has " + std::to_string(file.features) + " features in a row, but " +
                                           first_file().path + " has " + std::to_string(first_file().features));
            if (file.kind == feature_kind::statistics && paths.size() > 1)
                throw file_error(path, "holds mean and covariance, which cannot be added to those of other files: "
                                       "give the features, or states");
        }
    }

    // Features of two origins are not compared. Numbers that cannot state one are taken, and the report tells of them.
    void check_origins()
    {
        const feature_file *first = nullptr;
        const char *side_of_first = "";
        for (std::size_t side = 0; side < report_.sets.size(); ++side)
            for (const feature_file &file : report_.sets[side].files) {
                if (!file.origin.is_stated())
                    continue;
                if (first == nullptr) {
                    first = &file;
                    side_of_first = fid_side_names[side];
                } else if (file.origin != first->origin) {
                    throw file_error(file.path, std::string("the ") + fid_side_names[side] + " features come from " +
                                                    file.origin.text() + "; the " + side_of_first + " features of " +
                                                    first->path + " come from " + first->origin.text());
                }
            }
        if (first == nullptr)
            return;
        report_.origin = first->origin;
        for (const fid_set &set : report_.sets)
            for (const feature_file &file : set.files)
                if (!file.origin.is_stated())
                    report_.unstated.push_back(file.path);
    }

    // States are exact only on the grid that they were made on.
    void choose_grid()
    {
        iqa_fid_options &grid = report_.grid = options_.grid;
        const feature_file *state = nullptr;
        for (const fid_set &set : report_.sets)
            for (const feature_file &file : set.files) {
                if (file.kind != feature_kind::state)
                    continue;
                if (state == nullptr) {
                    grid.fraction_bits = options_.has_fraction_bits ? grid.fraction_bits : file.fraction_bits;
                    grid.word_bits = options_.has_word_bits ? grid.word_bits : file.word_bits;
                }
                if (file.fraction_bits != grid.fraction_bits || file.word_bits != grid.word_bits)
                    throw file_error(file.path, "has " + grid_text(file.fraction_bits, file.word_bits) + "; expected " +
                                                    grid_text(grid.fraction_bits, grid.word_bits) +
                                                    (state ? " as " + state->path + " has" : ""));
                state = &file;
            }
        grid.features = static_cast<int32_t>(first_file().features);
        const std::vector<feature_file> &reference = report_.sets[IQA_FID_REFERENCE].files;
        if (std::all_of(reference.begin(), reference.end(), [](const auto &file) { return file.origin.is_stated(); }))
            put_origin(grid); // which --stats-out keeps
        // 24-bit words hold the numbers that 32-bit words do on a grid coarser by 8 bits.
        if (state == nullptr && !options_.has_fraction_bits && grid.word_bits == IQA_FID_WORD_24)
            grid.fraction_bits -= 8;
    }

    void put_origin(iqa_fid_options &grid) const
    {
        grid.weights = report_.origin.weights;
        grid.layer = report_.origin.layer;
        grid.resize = report_.origin.resize;
    }

    // False: the user interrupted.
    bool measure_pictures()
    {
        for (std::size_t side = 0; side < report_.sets.size(); ++side)
            for (const feature_file &file : report_.sets[side].files)
                if (file.kind == feature_kind::picture)
                    plan_.paths[side].push_back(file.path);
        for (const set_metric *metric : options_.others)
            for (const std::size_t side : sides_of(*metric))
                plan_.kept[side].push_back(layer_of(*metric));
        if (!options_.features_path.empty() && !options_.resume_path.empty())
            plan_.kept[IQA_FID_REFERENCE].push_back(options_.layer.layer);
        for (std::vector<int32_t> &layers : plan_.kept) {
            std::sort(layers.begin(), layers.end());
            layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
        }
        plan_.resume_path = options_.resume_path;
        plan_.features_path = options_.features_path;
        picture_grid_ = report_.grid;
        put_origin(picture_grid_);
        pictures_.emplace(context_, *network_, picture_grid_, plan_);
        bar_.emplace(pictures_->left(), "pictures");
        const bool is_complete = pictures_->measure([this](std::size_t done) { bar_->show(done); });
        bar_.reset();
        report_.refused = pictures_->refused();
        if (!is_complete)
            report_.left = pictures_->left();
        return is_complete;
    }

    std::size_t judged_side() const
    {
        return report_.sets[IQA_FID_CANDIDATE].is_given() ? IQA_FID_CANDIDATE : IQA_FID_REFERENCE;
    }

    std::vector<std::size_t> sides_of(const set_metric &metric) const
    {
        return metric.is_of_both ? std::vector<std::size_t>{IQA_FID_REFERENCE, IQA_FID_CANDIDATE}
                                 : std::vector<std::size_t>{judged_side()};
    }

    int32_t layer_of(const set_metric &metric) const
    {
        return metric.is_of_logits ? int32_t{IQA_LAYER_LOGITS_UNBIASED} : options_.layer.layer;
    }

    void measure(const set_metric &metric)
    {
        const int32_t layer = layer_of(metric);
        const int64_t width = picture_network::width_of(layer);
        std::array<std::vector<float>, 2> rows;
        std::array<std::array<int64_t, 2>, 2> shapes{};
        std::array<iqa_tensor, 2> tables{};
        for (const std::size_t side : sides_of(metric)) {
            rows[side] = pictures_->rows(side, layer);
            shapes[side] = {static_cast<int64_t>(rows[side].size()) / width, width};
            tables[side] = iqa_cpu_tensor(rows[side].data(), IQA_FLOAT32, 2, shapes[side].data());
        }
        report_.others.emplace_back(&metric, metric.measure(context_, options_.of_others,
                                                            metric.is_of_both ? &tables[IQA_FID_REFERENCE] : nullptr,
                                                            tables[judged_side()]));
    }

    void load(int side)
    {
        fid_set &set = report_.sets[static_cast<std::size_t>(side)];
        set.pictures = plan_.paths[static_cast<std::size_t>(side)].size();
        if (set.pictures > 0)
            add_half(side, pictures_->moments(), side);
        for (const feature_file &file : set.files)
            blame(file.path, [&] {
                if (file.kind == feature_kind::picture)
                    return;
                if (file.kind == feature_kind::rows)
                    add_rows(side, file);
                else if (file.kind == feature_kind::state)
                    add_state(side, file);
                else
                    set.statistics = read_statistics(file);
            });
        if (!set.is_given() || set.statistics)
            return;
        set.rows = static_cast<int64_t>(read(metric_, rows_fields[side]));
        if (*set.rows < 2 && options_.wants_fid)
            throw file_error(set.files.front().path,
                             std::string("the ") + fid_side_names[side] + " set has " + std::to_string(*set.rows) +
                                 (*set.rows == 1 ? " row" : " rows") + "; a covariance needs two");
    }

    iqa_status update(int side, const iqa_tensor &rows)
    {
        const iqa_tensor *tensors[2] = {};
        tensors[side] = &rows;
        return iqa_metric_update(metric_.get(), tensors[0], tensors[1], nullptr);
    }

    void add_rows(int side, const feature_file &file)
    {
        read_rows(file, [&](const iqa_tensor &rows, int64_t first_row) {
            const iqa_status status = update(side, rows);
            if (status != IQA_OK)
                throw iqa::error(status, with_row_of_file(iqa_context_error(context_.get()), first_row));
            bar_->show(static_cast<std::size_t>(rows_read_ += rows.shape[0]));
        });
    }

    // Takes the set of the same side from a state; if that is empty, the other one.
    void add_state(int side, const feature_file &file)
    {
        metric_handle from;
        {
            const byte_buffer bytes = read_state(file, state_size() + state_origin_size);
            iqa_metric *created = nullptr;
            context_.check(iqa_metric_deserialize(context_.get(), bytes.data(), bytes.size(), &created));
            from.reset(created);
        }
        add_half(side, from.get(), read(from, rows_fields[side]) == 0 ? 1 - side : side);
    }

    // All states of a run have the same options, and thus the same size, but for an origin.
    std::size_t state_size() const
    {
        std::size_t size = 0;
        context_.check(iqa_metric_serialize(metric_.get(), nullptr, 0, &size));
        return size;
    }

    // Adds a set of another metric to one of these. Each set is one half of a state's lanes: docs/reference/abi.md.
    // Lanes do not say where features come from: check_origins() has looked.
    void add_half(int side, const iqa_metric *from, int half) const
    {
        std::size_t count = 0;
        context_.check(iqa_metric_lanes(from, nullptr, 0, &count));
        std::vector<int64_t> lanes(count);
        context_.check(iqa_metric_lanes(from, lanes.data(), count, nullptr));
        const auto middle = lanes.begin() + static_cast<std::ptrdiff_t>(count / 2);
        if (half != side)
            std::rotate(lanes.begin(), middle, lanes.end());
        if (side == IQA_FID_REFERENCE)
            std::fill(middle, lanes.end(), 0);
        else
            std::fill(lanes.begin(), middle, 0);
        context_.check(iqa_metric_add_lanes(metric_.get(), lanes.data(), count));
    }

    double read(const metric_handle &metric, int32_t field) const
    {
        double value = 0;
        context_.check(iqa_metric_read(metric.get(), field, &value, 1, nullptr));
        return value;
    }

    // The mean or the covariance of a set.
    loaded_array read_array(int32_t field, std::vector<int64_t> shape) const
    {
        npy_header header{.dtype = IQA_FLOAT64, .shape = std::move(shape)};
        std::size_t count = 0;
        context_.check(iqa_metric_read(metric_.get(), field, nullptr, 0, &count));
        byte_buffer numbers(count * sizeof(double));
        context_.check(
            iqa_metric_read(metric_.get(), field, reinterpret_cast<double *>(numbers.data()), count, nullptr));
        return {std::move(header), std::move(numbers)};
    }

    feature_statistics statistics_of(int side) const
    {
        const int64_t features = report_.grid.features;
        return {read_array(mean_fields[side], {features}), read_array(covariance_fields[side], {features, features})};
    }

    void write_statistics()
    {
        const fid_set &set = report_.sets[IQA_FID_REFERENCE];
        if (options_.stats_path.ends_with(".npz")) {
            if (set.statistics)
                throw image_error("would be a copy of " + set.files.front().path);
            const feature_statistics found = statistics_of(IQA_FID_REFERENCE);
            output_file out(options_.stats_path);
            std::vector<npz_array> arrays{{"mu", found.mean.tensor()}, {"sigma", found.covariance.tensor()}};
            std::string origin = report_.origin.as_json().dump();
            const auto size = static_cast<int64_t>(origin.size());
            if (report_.grid.weights != 0)
                arrays.push_back({"origin", iqa_cpu_tensor(origin.data(), IQA_UINT8, 1, &size)});
            write_npz(out.stream(), arrays);
            return out.finish();
        }
        if (set.statistics)
            throw image_error("a state needs the features; " + set.files.front().path + " has mean and covariance");
        std::vector<char> bytes(state_size());
        context_.check(iqa_metric_serialize(metric_.get(), bytes.data(), bytes.size(), nullptr));
        output_file out(options_.stats_path);
        out.stream().write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        out.finish();
    }

    void compute()
    {
        const auto &[reference, candidate] = report_.sets;
        std::array<double, 8> values{};
        if (reference.statistics || candidate.statistics) {
            compute_from_statistics(values);
        } else {
            constexpr int32_t fields[8] = {IQA_FIELD_VALUE,
                                           IQA_FIELD_FID_RAW,
                                           IQA_FIELD_FID_MEAN_TERM,
                                           IQA_FIELD_FID_TRACE_REFERENCE,
                                           IQA_FIELD_FID_TRACE_CANDIDATE,
                                           IQA_FIELD_FID_TRACE_TERM,
                                           IQA_FIELD_FID_RANK_REFERENCE,
                                           IQA_FIELD_FID_RANK_CANDIDATE};
            for (std::size_t index = 0; index < values.size(); ++index)
                values[index] = read(metric_, fields[index]);
        }
        const auto [value, raw, mean_term, trace_0, trace_1, trace_term, rank_0, rank_1] = values;
        report_.values = {value, raw, mean_term, {trace_0, trace_1}, trace_term, {rank_0, rank_1}};
    }

    void compute_from_statistics(std::array<double, 8> &values)
    {
        std::array<feature_statistics, 2> found;
        for (const int side : {IQA_FID_REFERENCE, IQA_FID_CANDIDATE}) {
            const auto index = static_cast<std::size_t>(side);
            std::optional<feature_statistics> &loaded = report_.sets[index].statistics;
            found[index] = loaded ? std::move(*loaded) : statistics_of(side);
        }
        const iqa_tensor tensors[4] = {found[0].mean.tensor(), found[0].covariance.tensor(), found[1].mean.tensor(),
                                       found[1].covariance.tensor()};
        const iqa_status status = iqa_fid_from_statistics(context_.get(), &tensors[0], &tensors[1], &tensors[2],
                                                          &tensors[3], values.data(), values.size(), nullptr);
        if (status == IQA_OK)
            return;
        // A text about one side's statistics names its argument, such as mean_reference.
        const std::string text = iqa_context_error(context_.get());
        std::string names;
        for (std::size_t side = 0; side < report_.sets.size(); ++side)
            if (report_.sets[side].statistics && text.find(fid_side_names[1 - side]) == std::string::npos)
                names += (names.empty() ? "" : ", ") + report_.sets[side].files.front().path;
        throw file_error(names, in_words(text));
    }

    const fid_options &options_;
    fid_report report_;
    std::optional<progress_bar> bar_;
    int64_t rows_read_ = 0;
    bool is_computing_ = false;
    iqa::context context_;
    std::optional<picture_network> network_;
    feature_origin network_origin_;
    iqa_fid_options picture_grid_ = IQA_FID_OPTIONS_INIT;
    picture_plan plan_;
    std::optional<picture_run> pictures_;
    metric_handle metric_;
};

} // namespace

fid_report run_fid(const fid_options &options)
{
    return fid_run(options).run();
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
// A run over pairs of files by many threads. Each thread takes pair after pair, and decodes and measures alone. The
// library's own threads are used only if there are fewer pairs than cores.
#pragma once

#include "files/interrupt.hpp"
#include "files/output_file.hpp"
#include "files/pairing.hpp"
#include "measuring/progress.hpp"

#include <iqa.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace iqa_tool {

// The part of a result that all commands share.
struct pair_outcome {
    enum class state { pending, measured, failed };

    file_pair names{};
    state outcome = state::pending;
    std::string error{}; // with the name of the file
};

// The pairs of two folders and their results. Pairs that an interrupt left out stay pending.
template <typename result>
struct pair_report {
    std::vector<result> results; // in the order of the pairs
    std::vector<std::string> lone_references, lone_tests;
    std::map<std::string, std::size_t> others; // files of other endings, by ending
    bool interrupted = false;

    explicit pair_report(pairing found = {})
        : lone_references(std::move(found.lone_references)),
          lone_tests(std::move(found.lone_tests)),
          others(std::move(found.others))
    {
        for (file_pair &names : found.pairs) {
            results.emplace_back();
            results.back().names = std::move(names);
        }
    }

    std::size_t unmatched() const { return lone_references.size() + lone_tests.size(); }
    std::size_t count(pair_outcome::state outcome) const
    {
        return static_cast<std::size_t>(
            std::count_if(results.begin(), results.end(), [outcome](const auto &r) { return r.outcome == outcome; }));
    }

    // "12 pairs measured, 1 failed", without counts of 0.
    void print_counts(std::ostream &out) const
    {
        out << count(pair_outcome::state::measured) << " pairs measured";
        for (const auto &[number, outcome] : {std::pair(count(pair_outcome::state::failed), "failed"),
                                              std::pair(unmatched(), "files without a partner"),
                                              std::pair(count(pair_outcome::state::pending), "not done")})
            if (number > 0)
                out << ", " << number << ' ' << outcome;
        out << '\n';
        if (!others.empty())
            out << one_line(text_of_others(others)) << " not looked at\n";
    }

    // "no PNG file has a partner in b (3 .webp files were not looked at)"
    std::string text_of_nothing(const std::string &what, const std::string &folder) const
    {
        return "no " + what + " has a partner in " + folder +
               (others.empty() ? "" : " (not looked at: " + text_of_others(others) + ")");
    }

    // A line on stderr for each file without a partner and each pair that failed.
    void list_problems(const std::string &reference_folder, const std::string &test_folder) const
    {
        const auto list_lone = [](const auto &names, const std::string &folder, const std::string &other) {
            for (const std::string &name : names)
                std::cerr << "iqa: " << one_line(folder + "/" + name + ": has no partner in " + other) << '\n';
        };
        list_lone(lone_references, reference_folder, test_folder);
        list_lone(lone_tests, test_folder, reference_folder);
        for (const result &pair : results)
            if (pair.outcome == pair_outcome::state::failed)
                std::cerr << "iqa: " << pair.error << '\n';
    }
};

// The number of pairs measured at once, and the library's threads for each.
struct pair_crew {
    std::size_t workers;
    int32_t threads_each;

    pair_crew(const iqa_context_options &options, std::size_t pairs)
    {
        const int32_t threads = std::max(1, iqa::context(options).thread_count());
        workers = std::min(static_cast<std::size_t>(threads), pairs);
        threads_each = threads / static_cast<int32_t>(std::max<std::size_t>(workers, 1));
    }
};

// Calls `measure(worker, result)` for each result, one thread for each worker; it throws if a pair fails. Calls
// `watch(done)` on this thread, about ten times a second and at the end. No result changes during `watch`, and those
// before the first pending one never change again.
template <typename result>
class pair_run {
public:
    using measure_function = std::function<void(std::size_t worker, result &)>;

    pair_run(std::vector<result> &results, measure_function measure) : results_(results), measure_(std::move(measure))
    {
    }
    pair_run(const pair_run &) = delete;
    pair_run &operator=(const pair_run &) = delete;
    ~pair_run()
    {
        for (std::thread &thread : threads_)
            thread.join();
    }

    template <typename watch_function>
    void run(std::size_t workers, watch_function watch)
    {
        start(workers);
        std::unique_lock lock(mutex_);
        do {
            changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return running_ == 0; });
            watch(done_);
        } while (running_ > 0);
    }

private:
    // If threads cannot be created, the others do their work; without any, this thread does it all.
    void start(std::size_t workers)
    {
        running_ = workers;
        for (std::size_t worker = 0; worker < workers; ++worker)
            try {
                threads_.emplace_back([this, worker] { work(worker); });
            } catch (const std::system_error &) {
                {
                    const std::lock_guard lock(mutex_);
                    running_ -= workers - std::max<std::size_t>(worker, 1);
                }
                if (worker == 0)
                    work(0);
                return;
            }
    }

    void work(std::size_t worker)
    {
        for (std::size_t index = next_++; index < results_.size() && interrupted == 0; index = next_++) {
            result pair;
            pair.names = results_[index].names;
            measure(worker, pair);
            const std::lock_guard lock(mutex_);
            done_ += pair.outcome != pair_outcome::state::pending;
            results_[index] = std::move(pair);
        }
        const std::lock_guard lock(mutex_);
        --running_;
        changed_.notify_all();
    }

    void measure(std::size_t worker, result &pair) const
    {
        try {
            measure_(worker, pair);
            pair.outcome = pair_outcome::state::measured;
        } catch (const std::exception &problem) {
            if (interrupted != 0)
                return; // the library may have stopped in the middle of a pair
            pair.error = text_of(problem);
            pair.outcome = pair_outcome::state::failed;
        }
    }

    std::vector<result> &results_;
    measure_function measure_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_; // guards the members below and the elements of results_
    std::condition_variable changed_;
    std::size_t running_ = 0, done_ = 0;
};

// Writes each row as soon as all pairs before it are done.
template <typename result>
class csv_writer {
public:
    using row_function = std::function<void(std::ostream &, const result &)>;

    csv_writer(const std::string &path, const std::string &header, row_function write_row)
        : file_(path), write_row_(std::move(write_row))
    {
        file_.stream() << header << '\n';
    }

    void write_ready(const std::vector<result> &results)
    {
        const std::size_t before = next_;
        while (next_ < results.size() && results[next_].outcome != pair_outcome::state::pending)
            write_row_(file_.stream(), results[next_++]);
        if (next_ != before)
            file_.flush();
    }

    // Writes the results behind a pair that an interrupt left out.
    void write_rest(const std::vector<result> &results)
    {
        for (; next_ < results.size(); ++next_)
            if (results[next_].outcome != pair_outcome::state::pending)
                write_row_(file_.stream(), results[next_]);
        file_.finish();
    }

private:
    output_file file_;
    row_function write_row_;
    std::size_t next_ = 0;
};

// Measures all pairs of a report under a progress bar. Rows go to `csv`, if any, as they are done.
template <typename result>
void run_with_progress(pair_report<result> &report, std::size_t workers, std::optional<csv_writer<result>> &csv,
                       typename pair_run<result>::measure_function measure)
{
    {
        const interrupt_guard guard;
        progress_bar bar(report.results.size());
        pair_run<result>(report.results, std::move(measure)).run(workers, [&](std::size_t done) {
            if (csv)
                csv->write_ready(report.results);
            bar.show(done);
        });
        report.interrupted = interrupted != 0;
    }
    if (csv)
        csv->write_rest(report.results);
}

} // namespace iqa_tool

// SPDX-License-Identifier: MIT
//
// A run over pairs of files by many threads. Threads take pair after pair. Each decodes and measures alone: files are
// many, so that all cores are busy without the library's own threads; these are used where pairs are fewer than cores.
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

/** What is common to the results of pairs. */
struct pair_outcome {
    enum class state { pending, measured, failed };

    file_pair names{};
    state outcome = state::pending;
    std::string error{}; // with the name of the file
};

/** The pairs of two folders and what became of them. Those that an interrupt left out stay pending. */
template <typename result>
struct pair_report {
    std::vector<result> results; // in the order of the pairs
    std::vector<std::string> lone_references, lone_tests;
    std::map<std::string, std::size_t> others; // the endings of files that were not looked at
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

    /** "12 pairs measured, 1 failed": all that is not 0. */
    void print_counts(std::ostream &out) const
    {
        out << count(pair_outcome::state::measured) << " pairs measured";
        for (const auto &[number, what] : {std::pair(count(pair_outcome::state::failed), "failed"),
                                           std::pair(unmatched(), "files without a partner"),
                                           std::pair(count(pair_outcome::state::pending), "not done")})
            if (number > 0)
                out << ", " << number << ' ' << what;
        out << '\n';
        if (!others.empty())
            out << one_line(text_of_others(others)) << " not looked at\n";
    }

    /** "no PNG file has a partner in b (3 .webp files were not looked at)" */
    std::string text_of_nothing(const std::string &what, const std::string &folder) const
    {
        return "no " + what + " has a partner in " + folder +
               (others.empty() ? "" : " (not looked at: " + text_of_others(others) + ")");
    }

    /** A line on stderr for each file without a partner and each pair that failed. */
    void list_problems(const std::string &reference_folder, const std::string &test_folder) const
    {
        const auto list_lone = [](const auto &names, const std::string &own, const std::string &other) {
            for (const std::string &name : names)
                std::cerr << "iqa: " << one_line(own + "/" + name + ": has no partner in " + other) << '\n';
        };
        list_lone(lone_references, reference_folder, test_folder);
        list_lone(lone_tests, test_folder, reference_folder);
        for (const result &each : results)
            if (each.outcome == pair_outcome::state::failed)
                std::cerr << "iqa: " << each.error << '\n';
    }
};

/** How many pairs are measured at the same time, and the threads of the library for each of them. */
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

/** Calls `measure(worker, result)` for each result, on as many threads as there are workers. It throws where a pair
 *  fails. `watch(done)` is called on this thread, about ten times a second and at the end; meanwhile no result changes,
 *  and those before the first pending one never change again. */
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
    /** Fewer threads do the same work, and where there is none this one does it. */
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
            result own;
            own.names = results_[index].names;
            measure(worker, own);
            const std::lock_guard lock(mutex_);
            done_ += own.outcome != pair_outcome::state::pending;
            results_[index] = std::move(own);
        }
        const std::lock_guard lock(mutex_);
        --running_;
        changed_.notify_all();
    }

    void measure(std::size_t worker, result &own) const
    {
        try {
            measure_(worker, own);
            own.outcome = pair_outcome::state::measured;
        } catch (const std::exception &problem) {
            if (interrupted != 0)
                return; // the library may have stopped in the middle of a pair
            own.error = text_of(problem);
            own.outcome = pair_outcome::state::failed;
        }
    }

    std::vector<result> &results_;
    measure_function measure_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_; // for what follows and the elements of results_
    std::condition_variable changed_;
    std::size_t running_ = 0, done_ = 0;
};

/** Writes rows in the order of the pairs as soon as all before them are done. */
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

    /** Those that were done behind a pair that an interrupt left out. */
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

/** Measures all pairs of a report with a progress bar, and writes `csv`, where there is one, as they are done. */
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

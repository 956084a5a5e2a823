// SPDX-License-Identifier: MIT
//
// Threads take pair after pair. Each decodes and measures alone: pictures are many, so that all cores are busy without
// the library's own threads; these are used where pairs are fewer than cores.
#include "batch.hpp"
#include "file_error.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace iqa_tool {

std::atomic<bool> interrupted{false};

namespace {

int32_t stop_when_interrupted(void *, int64_t, int64_t)
{
    return interrupted ? 1 : 0;
}

class batch_run {
public:
    batch_run(const batch_options &options, std::vector<pair_result> &results) : options_(options), results_(results)
    {
        settings chosen = options.chosen;
        const int32_t threads = iqa::context(chosen.context).thread_count();
        const auto workers = std::min(static_cast<std::size_t>(std::max(threads, 1)), results.size());
        chosen.context.threads = std::max(1, threads / static_cast<int32_t>(std::max<std::size_t>(workers, 1)));
        chosen.context.progress = stop_when_interrupted;
        for (std::size_t worker = 0; worker < workers; ++worker)
            meters_.push_back(std::make_unique<measurer>(chosen));
    }
    batch_run(const batch_run &) = delete;
    batch_run &operator=(const batch_run &) = delete;
    ~batch_run() { join(); }

    void start()
    {
        running_ = meters_.size();
        for (const std::unique_ptr<measurer> &meter : meters_)
            try {
                threads_.emplace_back([this, &meter] { work(*meter); });
            } catch (const std::system_error &) {
                if (threads_.empty())
                    throw;
                const std::lock_guard lock(mutex_);
                running_ -= meters_.size() - threads_.size();
                return; // fewer threads do the same work
            }
    }

    /** Waits a moment or for the end; returns whether it is the end. */
    template <typename watch_function>
    bool wait(watch_function watch)
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return running_ == 0; });
        watch(results_, done_);
        return running_ == 0;
    }

    total_values finish()
    {
        join();
        for (std::size_t worker = 1; worker < meters_.size(); ++worker)
            meters_[0]->merge(*meters_[worker]);
        return meters_.empty() ? total_values() : meters_[0]->total();
    }

private:
    void work(measurer &meter)
    {
        for (std::size_t index = next_++; index < results_.size() && !interrupted; index = next_++) {
            pair_result result{.names = results_[index].names};
            measure(meter, result);
            const std::lock_guard lock(mutex_);
            done_ += result.outcome != pair_result::state::pending;
            results_[index] = std::move(result);
        }
        const std::lock_guard lock(mutex_);
        --running_;
        changed_.notify_all();
    }

    void measure(measurer &meter, pair_result &result) const
    {
        try {
            const std::string test_path = options_.test_folder + "/" + result.names.test;
            const image reference =
                read_picture(options_.reference_folder + "/" + result.names.reference, options_.chosen);
            const image test = read_picture(test_path, options_.chosen);
            blame(test_path, [&] {
                check_comparable(reference, test, options_.chosen);
                result.values = meter.measure(reference, test);
            });
            result.shape = reference.shape;
            result.dtype = dtype_name(reference.dtype);
            result.outcome = pair_result::state::measured;
        } catch (const std::exception &problem) {
            if (interrupted)
                return; // the library may have stopped in the middle of a pair
            result.error = problem.what();
            result.outcome = pair_result::state::failed;
        }
    }

    void join()
    {
        for (std::thread &thread : threads_)
            thread.join();
        threads_.clear();
    }

    const batch_options &options_;
    std::vector<pair_result> &results_;
    std::vector<std::unique_ptr<measurer>> meters_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_; // for what follows and the elements of results_
    std::condition_variable changed_;
    std::size_t running_ = 0, done_ = 0;
};

} // namespace

void run_batch(const batch_options &options, std::vector<pair_result> &results, total_values &total,
               const std::function<void(const std::vector<pair_result> &, std::size_t)> &watch)
{
    batch_run run(options, results);
    run.start();
    while (!run.wait(watch)) {
    }
    total = run.finish();
}

} // namespace iqa_tool

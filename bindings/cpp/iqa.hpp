// SPDX-License-Identifier: MIT
//
// iqa.hpp: the C API of iqa_c.h for C++, with destructors and exceptions. Nothing else is added: the names, the options
// and the rules are those of iqa_c.h.
//
//   iqa::context context;
//   iqa::metric ssim = iqa::metric::ssim(context);
//   ssim.update(reference, candidate);
//   double value = ssim.compute();
#ifndef IQA_HPP
#define IQA_HPP

#include <iqa_c.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace iqa {

/** A call that failed: the text of iqa_context_error() and the status. */
class error : public std::runtime_error {
public:
    error(iqa_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
    iqa_status status() const noexcept { return status_; }

private:
    iqa_status status_;
};

inline iqa_context_options default_context_options() noexcept
{
    return IQA_CONTEXT_OPTIONS_INIT;
}

/** A shared hold on an iqa_context. Copies mean the same context. */
class context {
public:
    explicit context(const iqa_context_options &options = default_context_options())
    {
        iqa_context *created = nullptr;
        const iqa_status status = iqa_context_create(&options, &created);
        if (status != IQA_OK)
            throw error(status, iqa_context_error(nullptr));
        handle_.reset(created, iqa_context_destroy);
    }

    iqa_context *get() const noexcept { return handle_.get(); }
    const char *instruction_set() const noexcept { return iqa_context_instruction_set(get()); }
    int32_t thread_count() const noexcept { return iqa_context_thread_count(get()); }

    void check(iqa_status status) const
    {
        if (status != IQA_OK)
            throw error(status, iqa_context_error(get()));
    }

private:
    std::shared_ptr<iqa_context> handle_;
};

/** An iqa_metric that is destroyed with its owner. */
class metric {
public:
    static metric ssim(const context &owner, const iqa_ssim_options *options = nullptr)
    {
        return create(owner, iqa_ssim_create, options);
    }

    static metric psnr(const context &owner, const iqa_psnr_options *options = nullptr)
    {
        return create(owner, iqa_psnr_create, options);
    }
    static metric errors(const context &owner, const iqa_errors_options *options = nullptr)
    {
        return create(owner, iqa_errors_create, options);
    }

    static metric confusion(const context &owner, const iqa_confusion_options *options)
    {
        return create(owner, iqa_confusion_create, options);
    }

    static metric deserialize(const context &owner, const void *bytes, std::size_t size)
    {
        iqa_metric *created = nullptr;
        owner.check(iqa_metric_deserialize(owner.get(), bytes, size, &created));
        return metric(owner, created);
    }

    void update(const iqa_tensor &reference, const iqa_tensor &candidate, const iqa_update_extras *extras = nullptr)
    {
        context_.check(iqa_metric_update(get(), &reference, &candidate, extras));
    }

    double compute() const
    {
        double value = 0;
        context_.check(iqa_metric_compute(get(), &value));
        return value;
    }

    /** The field's values. */
    std::vector<double> read_all(int32_t field) const
    {
        std::size_t count = 0;
        context_.check(iqa_metric_read(get(), field, nullptr, 0, &count));
        std::vector<double> values(count);
        context_.check(iqa_metric_read(get(), field, values.data(), values.size(), &count));
        return values;
    }

    /** The value of a field that has one. */
    double read(int32_t field) const
    {
        double value = 0;
        context_.check(iqa_metric_read(get(), field, &value, 1, nullptr));
        return value;
    }

    /** A score of a confusion metric: one number, or one for each class. */
    std::vector<double> score(int32_t which, const iqa_confusion_reading *reading = nullptr) const
    {
        std::size_t count = 0;
        context_.check(iqa_confusion_score(get(), which, reading, nullptr, 0, &count));
        std::vector<double> values(count);
        context_.check(iqa_confusion_score(get(), which, reading, values.data(), values.size(), &count));
        return values;
    }

    /** The value of one pair or batch alone, by a metric without data, which has none afterwards. */
    double measure(const iqa_tensor &reference, const iqa_tensor &candidate, const iqa_update_extras *extras = nullptr)
    {
        double value = 0;
        context_.check(iqa_metric_measure(get(), &reference, &candidate, extras, &value));
        return value;
    }

    void reset() { context_.check(iqa_metric_reset(get())); }
    void merge(const metric &from) { context_.check(iqa_metric_merge(get(), from.get())); }

    std::vector<int64_t> lanes() const
    {
        std::size_t count = 0;
        context_.check(iqa_metric_lanes(get(), nullptr, 0, &count));
        std::vector<int64_t> values(count);
        context_.check(iqa_metric_lanes(get(), values.data(), values.size(), &count));
        return values;
    }

    void add_lanes(const std::vector<int64_t> &lanes)
    {
        context_.check(iqa_metric_add_lanes(get(), lanes.data(), lanes.size()));
    }

    /** Equal for metrics that may be merged, or whose lanes may be added. */
    uint64_t fingerprint() const
    {
        uint64_t value = 0;
        context_.check(iqa_metric_fingerprint(get(), &value));
        return value;
    }

    std::vector<std::byte> serialize() const
    {
        std::size_t size = 0;
        context_.check(iqa_metric_serialize(get(), nullptr, 0, &size));
        std::vector<std::byte> bytes(size);
        context_.check(iqa_metric_serialize(get(), bytes.data(), bytes.size(), &size));
        return bytes;
    }

    iqa_metric *get() const noexcept { return handle_.get(); }

private:
    struct destroyer {
        void operator()(iqa_metric *handle) const noexcept { iqa_metric_destroy(handle); }
    };

    metric(const context &owner, iqa_metric *handle) : context_(owner), handle_(handle) {}

    template <typename create_function, typename options_type>
    static metric create(const context &owner, create_function function, const options_type *options)
    {
        iqa_metric *created = nullptr;
        owner.check(function(owner.get(), options, &created));
        return metric(owner, created);
    }

    context context_;
    std::unique_ptr<iqa_metric, destroyer> handle_;
};

} // namespace iqa

#endif // IQA_HPP

// SPDX-License-Identifier: MIT
// A device for one call that waits for it, without a metric.
#pragma once

#include "backend/backend.hpp"

namespace iqa {

class device_call {
public:
    device_call(context &where, const backend &device, int32_t device_id)
        : where_(where), device_(device), id_(device_id), ledger_(device.open(where, device_id, 0, false)), row_(where)
    {
    }

    // Refuses a tensor whose memory is known to be elsewhere.
    void check_place(const char *name, const iqa_tensor &tensor) const { ledger_->check_place(name, tensor); }

    device_call(const device_call &) = delete;
    device_call &operator=(const device_call &) = delete;
    ~device_call() { ledger_->close(); }

    memory_source &memory() { return *ledger_; }

    // A row of a table there as a table here, until the next one.
    table_view fetch_row(const table_view &table, int64_t row)
    {
        auto *const numbers = row_.take<double>(size_t(table.columns), "a row of a table");
        device_.fetch_row(where_, id_, *ledger_, table, row, numbers);
        return {element_type::float64, reinterpret_cast<const std::byte *>(numbers), 1, table.columns, 0, 1};
    }

private:
    context &where_;
    const backend &device_;
    const int32_t id_;
    device_ledger *const ledger_;
    scratch row_;
};

} // namespace iqa

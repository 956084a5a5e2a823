// SPDX-License-Identifier: MIT
// The device of one call without a metric. The call waits for its work.
#pragma once

#include "backend/backend.hpp"

namespace iqa {

inline void check_most_rows(const table_view &table, const char *name)
{
    if (table.rows > most_table_rows)
        fail(IQA_ERROR_SHAPE, name, " has ", table.rows, " rows; expected at most ", most_table_rows);
}

class device_call {
public:
    device_call(context &where, const backend &device, int32_t device_id)
        : where_(where),
          ledger_(device.open != nullptr ? device.open(where, device_id, 0, false) : nullptr),
          place_{&device, device_id, ledger_ != nullptr ? static_cast<memory_source *>(ledger_) : &where},
          row_(where)
    {
    }
    device_call(const device_call &) = delete;
    device_call &operator=(const device_call &) = delete;
    ~device_call()
    {
        if (ledger_ != nullptr)
            ledger_->close();
    }

    // Throws for a tensor whose memory is known to be elsewhere.
    void check_place(const char *name, const iqa_tensor &tensor) const
    {
        if (ledger_ != nullptr)
            ledger_->check_place(name, tensor);
    }

    template <class Request>
    void run(void (*backend::*function)(context &, int32_t, memory_source &, Request &), Request &request)
    {
        (place_.functions->*function)(where_, place_.id, *place_.memory, request);
    }

    // The numbers of the contents of rows.
    void number_rows(const table_view &table, uint64_t *numbers)
    {
        row_numbers_request request{table, numbers};
        run(&backend::row_numbers, request);
    }

    // The numbers of a row of a table; valid until the next call.
    std::span<const double> fetch_row(const table_view &table, int64_t row)
    {
        const auto columns = size_t(table.columns);
        auto *const numbers = row_.take<double>(columns, "a row of a table");
        place_.functions->fetch_row(where_, place_.id, *place_.memory, table, row, numbers);
        return {numbers, columns};
    }

private:
    context &where_;
    device_ledger *const ledger_;
    const device_place place_;
    scratch row_;
};

} // namespace iqa

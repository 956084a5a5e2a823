// SPDX-License-Identifier: MIT
// Contexts, versions and names of statuses.
#include "api/guard.hpp"
#include "backend/backend.hpp"
#include "core/options.hpp"

constinit thread_local iqa::text iqa::error_without_context;

extern "C" {

uint32_t iqa_library_version(void)
{
    return IQA_VERSION;
}

const char *iqa_status_name(iqa_status status)
{
    switch (status) {
    case IQA_OK:
        return "IQA_OK";
    case IQA_ERROR_INVALID_ARGUMENT:
        return "IQA_ERROR_INVALID_ARGUMENT";
    case IQA_ERROR_SHAPE:
        return "IQA_ERROR_SHAPE";
    case IQA_ERROR_DTYPE:
        return "IQA_ERROR_DTYPE";
    case IQA_ERROR_DEVICE:
        return "IQA_ERROR_DEVICE";
    case IQA_ERROR_UNAVAILABLE:
        return "IQA_ERROR_UNAVAILABLE";
    case IQA_ERROR_NO_DATA:
        return "IQA_ERROR_NO_DATA";
    case IQA_ERROR_INCOMPATIBLE:
        return "IQA_ERROR_INCOMPATIBLE";
    case IQA_ERROR_CORRUPT:
        return "IQA_ERROR_CORRUPT";
    case IQA_ERROR_BUFFER_SIZE:
        return "IQA_ERROR_BUFFER_SIZE";
    case IQA_ERROR_NUMERIC:
        return "IQA_ERROR_NUMERIC";
    case IQA_ERROR_CANCELLED:
        return "IQA_ERROR_CANCELLED";
    case IQA_ERROR_OUT_OF_MEMORY:
        return "IQA_ERROR_OUT_OF_MEMORY";
    case IQA_ERROR_CUDA:
        return "IQA_ERROR_CUDA";
    case IQA_ERROR_INTERNAL:
        return "IQA_ERROR_INTERNAL";
    default:
        return "IQA_ERROR_UNKNOWN";
    }
}

iqa_status iqa_context_options_init(iqa_context_options *options, size_t size)
{
    return iqa::guard(nullptr, [&] { iqa::context_option_table.init(options, size); });
}

iqa_status iqa_context_create(const iqa_context_options *options, iqa_context **out)
{
    return iqa::guard(nullptr, [&] {
        iqa::require(out, "out");
        *out = nullptr;
        *out = iqa_context::create(iqa::context_option_table.copy(options));
    });
}

void iqa_context_destroy(iqa_context *context)
{
    if (context != nullptr)
        context->release();
}

const char *iqa_context_error(const iqa_context *context)
{
    return context != nullptr ? context->last_error() : iqa::error_without_context.c_str();
}

const char *iqa_context_instruction_set(const iqa_context *context)
{
    return context != nullptr ? iqa::instruction_set(*context) : "";
}

int32_t iqa_context_thread_count(const iqa_context *context)
{
    return context != nullptr ? context->threads() : 0;
}

const char *iqa_cuda_state(void)
{
    return iqa::cuda_state();
}

} // extern "C"

/* SPDX-License-Identifier: MIT
 *
 * iqa_c.h: image-quality metrics through a C ABI.
 *
 * Contents
 * --------
 *   Version, Status, Tensors       what everything else is said with
 *   Context                        where and how to run
 *   Metrics: one verb set          update, compute, read, merge, lanes, bytes
 *   What metrics of images share   masks and weights, NaN, luma, the data range
 *   SSIM                           and MS-SSIM: fields, options, presets, maps
 *   PSNR
 *   Mean errors                    mean absolute error and its kin, signal-to-noise ratio
 *   FID                            from features; statistics, shards
 *   KID
 *   PRDC                           precision, recall, density, coverage
 *   Inception Score
 *   Networks                       features of pictures, from weights
 *   Confusion metrics              labels compared: counts, scores, readings
 *   Options by name                every option described; a metric from text
 * The section of a metric has its fields, options, presets, create function and one-shot.
 *
 * In one minute
 * -------------
 *   iqa_context   where and how to run (threads, instruction set, allocator) and the text of the last error
 *   iqa_metric    one accumulating metric: update it with image pairs, read its value at any time
 *   iqa_tensor    a borrowed view of the caller's memory, laid out like DLPack's DLTensor
 *
 *   iqa_context *ctx = NULL;
 *   iqa_metric *ssim = NULL;
 *   double value;
 *   iqa_context_create(NULL, &ctx);
 *   iqa_ssim_create(ctx, NULL, &ssim);
 *   while (next_pair(&reference, &candidate))
 *       iqa_metric_update(ssim, &reference, &candidate, NULL);
 *   iqa_metric_compute(ssim, &value);
 *   iqa_metric_destroy(ssim);
 *   iqa_context_destroy(ctx);
 *
 * Constants are enums with a name (iqa_border of IQA_BORDER_...), while fields and arguments are int32_t: their size is
 * fixed, and a number that no constant has is refused in words.
 *
 * Every fallible call returns an iqa_status, 0 on success; iqa_context_error() then says what was wrong, in words.
 * A call that fails leaves the metric as it was.
 *
 * The same bits everywhere
 * ------------------------
 * A result depends on the input and the options alone: not on the thread count, the split into batches, the order of
 * merges, the instruction set, strides, or the caller's floating-point mode. docs/reference/numerics.md has the proof
 * for each metric.
 *
 * Threads
 * -------
 * A context and its metrics are used by one thread at a time. Different contexts are independent of each other. To use
 * many threads of your own, give each a context and a metric and merge the metrics at the end. The destroy functions
 * may be called from any thread and in any order: a metric keeps its context alive.
 */
#ifndef IQA_C_H
#define IQA_C_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define IQA_API
#elif defined(__GNUC__)
#define IQA_API __attribute__((visibility("default")))
#else
#define IQA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------------- */

#define IQA_VERSION_MAJOR 0
#define IQA_VERSION_MINOR 2
#define IQA_VERSION_PATCH 0
#define IQA_VERSION ((IQA_VERSION_MAJOR << 16) | (IQA_VERSION_MINOR << 8) | IQA_VERSION_PATCH)

/** The version of the loaded library, packed like IQA_VERSION. Until 1.0 a program runs with a library whose major and
 *  minor numbers equal those of the header that it was compiled with. */
IQA_API uint32_t iqa_library_version(void);

/* ---- Status -------------------------------------------------------------------------------------------------- */

typedef int32_t iqa_status;
typedef enum iqa_status_code {
    IQA_OK = 0,
    IQA_ERROR_INVALID_ARGUMENT = 1, /* a NULL handle, an option out of its domain, unknown bytes after the options */
    IQA_ERROR_SHAPE = 2,            /* ranks or extents disagree, or an image is smaller than the window            */
    IQA_ERROR_DTYPE = 3,            /* an element type that this metric does not take                               */
    IQA_ERROR_DEVICE = 4,           /* the tensors of one call live on different devices, or not where they say     */
    IQA_ERROR_UNAVAILABLE = 5,      /* a device without a backend: no CUDA in this build, no driver, no such device,
                                       or one that the kernels cannot run on                                        */
    IQA_ERROR_NO_DATA = 6,          /* compute or read before the first update                                      */
    IQA_ERROR_INCOMPATIBLE = 7,     /* merge, deserialize, add_lanes: another metric, other options, a later format */
    IQA_ERROR_CORRUPT = 8,          /* deserialize: truncated or altered bytes                                      */
    IQA_ERROR_BUFFER_SIZE = 9,      /* an output buffer is too small; the needed size was written                   */
    IQA_ERROR_NUMERIC = 10,         /* non-finite input under the error policy, or arithmetic that overflowed       */
    IQA_ERROR_CANCELLED = 11,       /* the progress callback asked to stop                                          */
    IQA_ERROR_OUT_OF_MEMORY = 12,   /* the allocator returned NULL                                                  */
    IQA_ERROR_CUDA = 13,            /* a CUDA call failed                                                           */
    IQA_ERROR_INTERNAL = 14         /* a defect of the library                                                      */
} iqa_status_code;

/** The name of a status as in the list above, e.g. "IQA_ERROR_SHAPE"; "IQA_ERROR_UNKNOWN" for any other number.
 *  Static storage, never NULL. */
IQA_API const char *iqa_status_name(iqa_status status);

/* ---- Tensors ------------------------------------------------------------------------------------------------- */

/** A borrowed view of memory: the layout of DLPack's DLTensor, so that a DLTensor pointer may be passed as it is. */
typedef struct iqa_tensor {
    void *data;             /* never written through where the function says that it reads                           */
    int32_t device_type;    /* IQA_CPU, IQA_CUDA, ...: DLPack's numbers                                              */
    int32_t device_id;      /* 0 for the CPU                                                                         */
    int32_t ndim;           /* number of axes                                                                        */
    uint8_t dtype_code;     /* DLPack: 0 int, 1 uint, 2 float, 4 bfloat, 6 bool                                      */
    uint8_t dtype_bits;     /* bits of one element                                                                   */
    uint16_t dtype_lanes;   /* must be 1                                                                             */
    const int64_t *shape;   /* ndim extents                                                                          */
    const int64_t *strides; /* ndim strides in elements, negative and 0 included; NULL means compact row-major       */
    uint64_t byte_offset;   /* from data to the element [0, 0, ...]                                                  */
} iqa_tensor;

typedef enum iqa_device_type { IQA_CPU = 1, IQA_CUDA = 2, IQA_CUDA_HOST = 3, IQA_CUDA_MANAGED = 13 } iqa_device_type;

/** Element types: DLPack's code << 8 | bits. */
typedef enum iqa_dtype {
    IQA_INT8 = 0x0008,
    IQA_INT16 = 0x0010,
    IQA_INT32 = 0x0020,
    IQA_INT64 = 0x0040,
    IQA_UINT8 = 0x0108,
    IQA_UINT16 = 0x0110,
    IQA_FLOAT16 = 0x0210,
    IQA_FLOAT32 = 0x0220,
    IQA_FLOAT64 = 0x0240,
    IQA_BFLOAT16 = 0x0410,
    IQA_BOOL = 0x0608,
    IQA_UINT32 = 0x0120,
    IQA_UINT64 = 0x0140
} iqa_dtype;

/** A compact row-major CPU tensor over `data`. `shape` is borrowed: it must outlive the tensor. */
static inline iqa_tensor iqa_cpu_tensor(const void *data, int32_t dtype, int32_t ndim, const int64_t *shape)
{
    iqa_tensor tensor;
    tensor.data = (void *)(uintptr_t)data;
    tensor.device_type = IQA_CPU;
    tensor.device_id = 0;
    tensor.ndim = ndim;
    tensor.dtype_code = (uint8_t)((uint32_t)dtype >> 8);
    tensor.dtype_bits = (uint8_t)((uint32_t)dtype & 0xffu);
    tensor.dtype_lanes = 1;
    tensor.shape = shape;
    tensor.strides = NULL;
    tensor.byte_offset = 0;
    return tensor;
}

/** What the axes of an image tensor are. Never guessed: a tensor of three axes needs its layout stated. */
typedef enum iqa_layout {
    IQA_LAYOUT_HW = 0,   /* height, width: one grey image  */
    IQA_LAYOUT_HWC = 1,  /* interleaved channels           */
    IQA_LAYOUT_CHW = 2,  /* planar channels                */
    IQA_LAYOUT_NHW = 3,  /* a batch of grey images         */
    IQA_LAYOUT_NHWC = 4, /* a batch, interleaved channels  */
    IQA_LAYOUT_NCHW = 5, /* a batch, planar channels       */
    IQA_LAYOUT_DHW = 6,  /* depth, height, width: a volume */
    IQA_LAYOUT_CDHW = 7,
    IQA_LAYOUT_DHWC = 8,
    IQA_LAYOUT_NDHW = 9,
    IQA_LAYOUT_NCDHW = 10,
    IQA_LAYOUT_NDHWC = 11
} iqa_layout;

/* ---- Context ------------------------------------------------------------------------------------------------- */

typedef struct iqa_context iqa_context;

/** The instruction sets that the CPU kernels are compiled for. All give the same bits. */
typedef enum iqa_isa { IQA_ISA_BASELINE = 0, IQA_ISA_AVX2 = 1, IQA_ISA_AVX512 = 2, IQA_ISA_BEST = 255 } iqa_isa;

/** As many threads as the process should have: the smallest of the processors that it may run on, OMP_NUM_THREADS (the
 *  first number of a list), OMP_THREAD_LIMIT and the processors, rounded up, of its control group's quota. The
 *  environment variable IQA_NUM_THREADS stands above all of these. They are read once, for the first context; a number
 *  of threads that the caller states is taken as it is. */
typedef enum iqa_threads { IQA_THREADS_ALL = -1 } iqa_threads;

/** The caller's memory. `allocate` returns memory aligned to at least 16 bytes, or NULL. Both may be called from the
 *  thread that is inside a library call, and `deallocate` from any thread that destroys a handle. */
typedef void *(*iqa_allocate_function)(void *user, size_t bytes);
typedef void (*iqa_deallocate_function)(void *user, void *memory, size_t bytes);

/** One task of a parallel region: call it once for each worker number 0 ... workers - 1. */
typedef void (*iqa_task_function)(void *task, int32_t worker);

/** The caller's threads: must call `function(task, worker)` exactly once for each worker in 0 ... workers - 1, on any
 *  threads, at the same time or one after another, and return when all have returned. */
typedef void (*iqa_parallel_function)(void *user, int32_t workers, iqa_task_function function, void *task);

/** Progress of one call: `done` of `total` pieces are finished. A call of several passes (scales, gradients, images
 * that are measured again in double) begins again at 0 for each. Called by worker 0 only (the calling thread, unless
 *  `parallel` says otherwise). A return value other than 0 cancels the call: it returns IQA_ERROR_CANCELLED and the
 *  metric is as it was before. */
typedef int32_t (*iqa_progress_function)(void *user, int64_t done, int64_t total);

/** Something worth telling that is no error, such as fewer threads than asked for. */
typedef void (*iqa_log_function)(void *user, const char *message);

typedef struct iqa_context_options {
    uint32_t struct_size;               /* sizeof(iqa_context_options) of the caller                                */
    int32_t threads;                    /* CPU threads of one call, 1 or more (1024 are used at most), or
                                           IQA_THREADS_ALL                                                          */
    int32_t instruction_set;            /* highest IQA_ISA_... to use; the environment variable IQA_ISA (baseline,
                                           avx2, avx512) lowers it further                                          */
    void *cuda_stream;                  /* cudaStream_t for CUDA tensors; NULL is the legacy default stream. It must
                                           exist for as long as the context and its metrics, whose end still uses
                                           it, and belong to the tensors' device                                    */
    iqa_allocate_function allocate;     /* NULL, with deallocate: the C library's                                   */
    iqa_deallocate_function deallocate; /*                                                                          */
    void *allocator_user;               /* first argument of both                                                   */
    iqa_parallel_function parallel;     /* NULL: the library's own OpenMP team                                      */
    void *parallel_user;                /*                                                                          */
    iqa_progress_function progress;     /* NULL: none                                                               */
    void *progress_user;                /*                                                                          */
    iqa_log_function log;               /* NULL: none                                                               */
    void *log_user;                     /*                                                                          */
} iqa_context_options;

#define IQA_CONTEXT_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        sizeof(iqa_context_options), IQA_THREADS_ALL, IQA_ISA_BEST, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,    \
            NULL, NULL                                                                                                 \
    }

/** Writes the defaults, as IQA_CONTEXT_OPTIONS_INIT does, into the first `size` bytes of an options struct.
 *
 *  The rule for every options struct of this header: `struct_size` says how much of it the caller knows. Fields beyond
 *  it take the library's defaults; bytes beyond what the library knows must be zero. No struct is ever larger than 4096
 *  bytes: a size beyond is that of a struct that was not initialised, and refused. Every default is a real value:
 * writing 0 into a field means 0.
 *
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT if `options` is NULL, or if `size` is smaller than its first field or
 *          above 4096. */
IQA_API iqa_status iqa_context_options_init(iqa_context_options *options, size_t size);

/** Creates a context.
 *
 *  @param options  NULL for the defaults.
 *  @param out      receives the handle, or NULL on failure; destroy it with iqa_context_destroy().
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, also for an environment variable IQA_ISA or IQA_NUM_THREADS that has no
 *          meaning; IQA_ERROR_OUT_OF_MEMORY. There is no context yet to ask for a text: iqa_context_error(NULL) has it.
 */
IQA_API iqa_status iqa_context_create(const iqa_context_options *options, iqa_context **out);

/** Releases the caller's hold on a context; it lives on while metrics use it. NULL is allowed. */
IQA_API void iqa_context_destroy(iqa_context *context);

/** The text of the last failure of a call on this context or one of its metrics; "" if none failed yet. Valid until the
 *  next failure or until the context ends. NULL gives that of the calling thread's last call that failed without a
 *  context, such as iqa_context_create(). */
IQA_API const char *iqa_context_error(const iqa_context *context);

/** The instruction set in use: "baseline", "avx2" or "avx512". Static storage. "" for NULL. */
IQA_API const char *iqa_context_instruction_set(const iqa_context *context);

/** The number of CPU threads that a large call uses. 0 for NULL. */
IQA_API int32_t iqa_context_thread_count(const iqa_context *context);

/** What this library can do with CUDA tensors on this machine, in words: "available: ..." or "unavailable: ..." with
 *  the reason. Static storage. The first call may start the CUDA driver, which a child of fork() cannot use then. */
IQA_API const char *iqa_cuda_state(void);

/* ---- Metrics: one verb set ----------------------------------------------------------------------------------- */

/** An accumulating metric. Its whole state is a vector of int64 lanes that add: see iqa_metric_lanes(). */
typedef struct iqa_metric iqa_metric;

/** What one update may also give. Each tensor is the caller's memory on the device of the images; NULL means that it is
 *  not wanted. When the call fails, or the data of an update on a CUDA device prove faulty, the content of these
 * tensors is unspecified, but that per_image of an SSIM, a PSNR or a mean error at fault is NaN. */
typedef struct iqa_update_extras {
    uint32_t struct_size;          /* sizeof(iqa_update_extras) of the caller                                       */
    const iqa_tensor *per_image;   /* float64 [N]: one value per image (N is 1 without a batch axis)                */
    const iqa_tensor *per_channel; /* float64 [N, C] (C is 1 without a channel axis)                                */
    const iqa_tensor *map;         /* SSIM: float32 or float64, the layout of the images; the extents of the images,
                                      less the window size plus 1 in depth, height and width for IQA_BORDER_VALID.
                                      With several scales the map is that of the first. NaN where no pixel counts   */
    const iqa_tensor *weights;     /* confusion: float32 or float64, one weight for each element of the labels.
                                      Images: a mask, or weights of pixels: see there                              */
    const iqa_tensor *counts;      /* confusion: int64 (float64 with weights) [N, C, 4]: true positives, false
                                      positives, false negatives, true negatives of each sample and class          */
    const iqa_tensor *candidate_gradient; /* images: float32 or float64, the layout and extents of the images: the
                                      derivative of each image's own value (PSNR: in dB, or of its mean squared
                                      error: see the options) with respect to each of its samples                  */
    const iqa_tensor *reference_gradient; /* the same with respect to the reference                                 */
    double data_low;  /* images: the range of this update alone, for options that state none; both 0 (the default): that
                         of the options, or the span of an integer type                                             */
    double data_high; /*                                                                                            */
} iqa_update_extras;

#define IQA_UPDATE_EXTRAS_INIT                                                                                         \
    {                                                                                                                  \
        sizeof(iqa_update_extras), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.0, 0.0                                  \
    }

/** Writes the defaults (nothing wanted). Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_update_extras_init(iqa_update_extras *extras, size_t size);

/** Adds one pair of images, or one batch of pairs.
 *
 *  @param reference  uint8, uint16, int16, float16, bfloat16, float32 or float64, in the layout of the options, with
 *                    any strides. Integers are taken as they are; the 16-bit floats are widened on load.
 *  @param candidate  the same shape, element type and device.
 *  @param extras     what else the call shall give, or NULL.
 *
 *  The tensors are borrowed for the call. Nothing of the size of an image is allocated (but for the smaller scales of
 *  SSIM: 32 MB, or those of one image), and nothing at all on a second call with the same shape. A batch of N pairs and
 *  N calls with one pair each give the same state.
 *
 *  CUDA tensors (IQA_CUDA, IQA_CUDA_MANAGED) are measured on their device, with the same bits. The call only enqueues
 *  work on the context's stream, and never waits: the tensors must stay until the stream has passed it, and outputs are
 *  there then. A second update of the same shapes can be captured in a CUDA graph, and counts at each launch of it.
 *  The graph works in the metric's memory: launch it on the context's stream, and no more once the metric is destroyed.
 *  What is wrong with the data of such an update (not finite, a label outside the classes, an invalid weight) is
 *  told by the next call that reads the metric, with the update's number; nothing of that update is added, the others
 *  count. Calls that read the metric (compute, read, lanes, serialize, merge, confusion scores, FID of shards) wait for
 *  the stream.
 *
 *  @return IQA_OK, or one of IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _DEVICE, _UNAVAILABLE, _NUMERIC, _CANCELLED,
 *          _OUT_OF_MEMORY, _CUDA; the metric is then as it was. _NUMERIC also where a count or a sum would pass what a
 *          state can hold, which takes some 2^62 images; of CUDA tensors the next call that reads the metric says so,
 *          and nothing of the updates since the last such call is added. */
IQA_API iqa_status iqa_metric_update(iqa_metric *metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                                     const iqa_update_extras *extras);

/** The headline value: SSIM, PSNR in dB, a mean error, FID, or the confusion score of the options. A pure read: any
 * time, any number of times.
 *
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_NO_DATA before the first image; IQA_ERROR_INCOMPATIBLE where
 *          the metric says so. */
IQA_API iqa_status iqa_metric_compute(const iqa_metric *metric, double *value);

/** Fields for iqa_metric_read() that several metrics have; each has more of its own. Counts are exact up to 2^53. */
typedef enum iqa_field {
    IQA_FIELD_VALUE = 0,        /* what iqa_metric_compute() gives                                                   */
    IQA_FIELD_IMAGES = 1,       /* images added                                                                      */
    IQA_FIELD_OUT_OF_RANGE = 2, /* samples of either image outside the data range, non-finite ones included          */
    IQA_FIELD_NONFINITE = 3,    /* non-finite samples of either image                                                */
    IQA_FIELD_MSE = 4,          /* PSNR, mean errors: mean squared error over all samples added, by their weights    */
    IQA_FIELD_SAMPLES = 5       /* PSNR, mean errors: sum of the weights of all samples added; without weights, how
                                   many they are: pixels times channels (1 for luma)                                 */
} iqa_field;

/** Reads another result by field.
 *
 *  @param out       receives the values; may be NULL to ask for the count.
 *  @param capacity  how many doubles `out` holds.
 *  @param count     receives how many the field has; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for a field that this metric lacks; IQA_ERROR_BUFFER_SIZE;
 *          IQA_ERROR_NO_DATA. */
IQA_API iqa_status iqa_metric_read(const iqa_metric *metric, int32_t field, double *out, size_t capacity,
                                   size_t *count);

/** Forgets all data; options stay. */
IQA_API iqa_status iqa_metric_reset(iqa_metric *metric);

/** What iqa_metric_update(), iqa_metric_compute() and iqa_metric_reset() do, in one call: the value of one pair or
 * batch alone. The metric has no data before, and none afterwards, whatever the status. A program that measures many
 * pairs keeps a metric for that, whose working memory is there already, where iqa_measure_ssim() and its like make one.
 *
 *  @param value  receives what iqa_metric_compute() gives.
 *  @return the statuses of the three; IQA_ERROR_INVALID_ARGUMENT where the metric has data. */
IQA_API iqa_status iqa_metric_measure(iqa_metric *metric, const iqa_tensor *reference, const iqa_tensor *candidate,
                                      const iqa_update_extras *extras, double *value);

/** Adds the data of `from` to `into`. The result does not depend on the order or grouping of merges.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_INCOMPATIBLE when kinds or options differ. */
IQA_API iqa_status iqa_metric_merge(iqa_metric *into, const iqa_metric *from);

/** The state as int64 numbers whose merge is addition, lane by lane: MPI_SUM, all_reduce, a SQL SUM or NumPy's + are
 *  exact merges. Up to 2^31 states may be added before they go back through iqa_metric_add_lanes(). The meaning of the
 *  lanes is in docs/reference/abi.md; their number depends on kind and options alone.
 *
 *  @param out    receives the lanes; NULL to ask for the count.
 *  @param count  receives the number of lanes; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_BUFFER_SIZE. */
IQA_API iqa_status iqa_metric_lanes(const iqa_metric *metric, int64_t *out, size_t capacity, size_t *count);

/** Adds lanes, of one state or summed over many, to the metric. They do not say of which options they are: compare
 *  iqa_metric_fingerprint() where they may differ.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for NULL; IQA_ERROR_INCOMPATIBLE for another number of lanes or for
 *          numbers that no state can have (a negative count, an overflow). */
IQA_API iqa_status iqa_metric_add_lanes(iqa_metric *metric, const int64_t *lanes, size_t count);

/** 64 bits that stand for kind and options, which lanes do not carry: metrics that may be merged have equal
 * fingerprints, others differ (but for one pair in 2^64). The same in every process, on every machine and in every
 * version of the library that writes the same format of states. Send it beside the lanes, and compare it there instead
 * of summing it: docs/reference/abi.md shows how.
 *
 *  @param fingerprint  receives the bits.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for NULL. */
IQA_API iqa_status iqa_metric_fingerprint(const iqa_metric *metric, uint64_t *fingerprint);

/** Writes kind, options and state as bytes: little-endian, without padding, with a checksum; the same bytes on every
 *  machine. docs/reference/abi.md has the format.
 *
 *  @param buffer  NULL to ask for the size.
 *  @param size    receives the number of bytes; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_BUFFER_SIZE. */
IQA_API iqa_status iqa_metric_serialize(const iqa_metric *metric, void *buffer, size_t capacity, size_t *size);

/** Makes a metric from such bytes. The bytes may come from anywhere: they are checked before use.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_CORRUPT; IQA_ERROR_INCOMPATIBLE for a kind or format that this
 *          version does not know; IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_metric_deserialize(iqa_context *context, const void *buffer, size_t size, iqa_metric **out);

/** Destroys a metric, from any thread. NULL is allowed. */
IQA_API void iqa_metric_destroy(iqa_metric *metric);

/* ---- What metrics of images share ------------------------------------------------------------------------------- */

/* Masks and weights of images. `weights` is bool or uint8 (0 masks a pixel, everything else keeps it), or float32 or
 * float64 from 0 (masked) to 1. It has the layout of the images, where the extents of the batch and channel axes may
 * be 1, or the same without the channel axis; it then holds for all images or channels. An image's value is the mean
 * of its pixels in proportion to their weights, which are rounded to multiples of 2^-24 there. Masked samples are never
 * looked at, so they may be anything (but for IQA_MASK_MAP), and are counted nowhere. An image that is masked
 * altogether, or a weight that is not from 0 to 1, is IQA_ERROR_NUMERIC. PSNR: a channel that is masked altogether has
 * the per-channel value NaN. */

/** What to do with NaN and infinite samples. */
typedef enum iqa_nonfinite {
    IQA_NONFINITE_ERROR = 0,     /* the update fails; the text says how many there are and where the first one is   */
    IQA_NONFINITE_PROPAGATE = 1, /* the image's value, and with it the total, is NaN                                */
    IQA_NONFINITE_MASK = 2       /* a sample that is not finite in either image is masked                           */
} iqa_nonfinite;

/** Colour images as one channel of luma, for images of three channels R, G, B. Images of one channel are taken as they
 *  are. With L the data range and R, G, B from 0 to L: */
typedef enum iqa_luma {
    IQA_LUMA_NONE = 0,
    IQA_LUMA_BT601_FULL = 1,   /* 0.299 R + 0.587 G + 0.114 B; also the Y of YIQ                                    */
    IQA_LUMA_BT601_STUDIO = 2, /* 16 L / 255 + (65.481 R + 128.553 G + 24.966 B) / 255, as MATLAB's rgb2ycbcr and
                                  the papers on super-resolution use                                                */
    IQA_LUMA_BT709_FULL = 3,   /* 0.2126 R + 0.7152 G + 0.0722 B                                                    */
    IQA_LUMA_BT709_STUDIO = 4  /* 16 L / 255 + 219 / 255 times that                                                 */
} iqa_luma;

/* The data range, data_low ... data_high, gives L = data_high - data_low, the peak value. An interval with data_low
 * above data_high (the default) is "not stated": the span of the element type for 8- and 16-bit integers, an error for
 * floating-point input, whose range cannot be known. Where it is not stated, each update may state its own in its
 * extras, as volumes need whose range is known only when they are read. Samples are neither shifted nor clipped; those
 * outside are counted (IQA_FIELD_OUT_OF_RANGE). */

/* ---- SSIM ---------------------------------------------------------------------------------------------------- */

/** Fields of SSIM with the option `parts`: one number for each scale, a mean over images. */
typedef enum iqa_ssim_field {
    IQA_FIELD_LUMINANCE = 10,          /* the mean of the luminance factor                                           */
    IQA_FIELD_CONTRAST_STRUCTURE = 11, /* the mean of the contrast-structure factor                                  */
    IQA_FIELD_SSIM_OF_SCALES = 12      /* the mean of their product                                                  */
} iqa_ssim_field;

typedef enum iqa_window {
    IQA_WINDOW_GAUSSIAN = 0,
    IQA_WINDOW_UNIFORM = 1,
    IQA_WINDOW_BLOCKS = 2 /* uniform blocks of 8 x 8 pixels, one every 4 pixels, as FFmpeg's filter ssim: integer sums
                             and its rules for edges. uint8 and uint16 only; border, sizes and sigmas are not used   */
} iqa_window;

/** The window size follows from sigma and truncate (Gaussian windows only): 2 radius + 1 with the radius ... */
typedef enum iqa_size {
    IQA_SIZE_AUTO = -1,        /* floor(truncate * sigma + 0.5)                                                     */
    IQA_SIZE_AUTO_CEILING = -2 /* ceil(truncate * sigma)                                                            */
} iqa_size;

/** How samples beyond the edge are made, for the pixels a b c d. */
typedef enum iqa_border {
    IQA_BORDER_VALID = 0,     /* not at all: only windows inside the image; the map is smaller than the image       */
    IQA_BORDER_REFLECT = 1,   /* d c b | a b c d | c b a   the edge is not repeated                                 */
    IQA_BORDER_SYMMETRIC = 2, /* c b a | a b c d | d c b   the edge is repeated                                     */
    IQA_BORDER_REPLICATE = 3, /* a a a | a b c d | d d d                                                            */
    IQA_BORDER_ZERO = 4       /* 0 0 0 | a b c d | 0 0 0                                                            */
} iqa_border;

typedef enum iqa_covariance { IQA_COVARIANCE_POPULATION = 0, IQA_COVARIANCE_SAMPLE = 1 } iqa_covariance;

/** The arithmetic of the filters. */
typedef enum iqa_arithmetic {
    IQA_ARITHMETIC_AUTO = 0,   /* double for float64 input, float for everything else                               */
    IQA_ARITHMETIC_FLOAT64 = 1 /* double for every input                                                            */
} iqa_arithmetic;

/** Shrinking by a factor f: each pixel of the smaller image is the mean of f x f pixels (volumes: f x f x f). */
typedef enum iqa_shrink {
    IQA_SHRINK_SYMMETRIC = 0, /* every f-th place of a centred box filter, borders symmetric: extents are rounded up
                                 (Wang, TensorFlow)                                                                 */
    IQA_SHRINK_FLOOR = 1,     /* boxes side by side; a rest at the end is dropped (TorchMetrics, MONAI)             */
    IQA_SHRINK_ZERO = 2,      /* f = 2: where the extent is odd, a zero before the first pixel (pytorch-msssim)     */
    IQA_SHRINK_REPLICATE = 3  /* f = 2: where the extent is odd, the first pixel twice (PIQ)                        */
} iqa_shrink;

/** f = max(1, round(min(height, width) / 256)), as ssim.m of Wang et al.; halves are rounded up with
 *  IQA_SHRINK_SYMMETRIC (MATLAB) and to even otherwise (Python). */
typedef enum iqa_downsample { IQA_DOWNSAMPLE_AUTO = -1 } iqa_downsample;

typedef enum iqa_most_scales { IQA_MOST_SCALES = 12 } iqa_most_scales;

/** Several scales: the product over scales is taken for each ... */
typedef enum iqa_product {
    IQA_PRODUCT_OF_CHANNEL = 0, /* channel, and the image's value is the mean over channels                         */
    IQA_PRODUCT_OF_IMAGE = 1    /* image, from means over pixels and channels together                              */
} iqa_product;

/** What becomes of negative means, which have no real powers. */
typedef enum iqa_negative {
    IQA_NEGATIVE_KEEP = 0,    /* one scale: nothing. Several scales: the update fails                               */
    IQA_NEGATIVE_RELU = 1,    /* they become 0                                                                      */
    IQA_NEGATIVE_SIMPLE = 2,  /* every mean m becomes (m + 1) / 2                                                   */
    IQA_NEGATIVE_RELU_MAP = 3 /* negative contrast-structure becomes 0 at each pixel, before any mean (pyiqa)       */
} iqa_negative;

/** What a mask means for SSIM; `p` is a pixel of the map. Either way p counts with the weight of the pixel at the
 *  centre of its window. */
typedef enum iqa_mask {
    IQA_MASK_CONVOLUTION = 0, /* normalised convolution: each window mean is sum(w m x) / sum(w m), so that masked
                                 pixels have no influence; p counts where sum(w m) >= coverage */
    IQA_MASK_MAP = 1          /* statistics of all pixels; masked pixels influence their neighbours                 */
} iqa_mask;

/** Structural similarity: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error
 *  visibility to structural similarity", IEEE Trans. Image Processing 13 (2004), in the difference form of
 *  docs/reference/numerics.md: never above 1, never below -1, exactly 1 for equal images. The defaults are the paper's.
 *
 *  With several scales it is multi-scale structural similarity: Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale
 *  structural similarity for image quality assessment", Asilomar Conf. (2003): the product over scales of the mean
 *  contrast-structure, and at the last scale of the mean SSIM, each to the power of its weight; from scale to scale
 *  images shrink by 2. */
typedef struct iqa_ssim_options {
    uint32_t struct_size; /* sizeof(iqa_ssim_options) of the caller                                               */
    int32_t layout;       /* IQA_LAYOUT_...                                                                       */
    double data_low;      /* the data range: see above                                                            */
    double data_high;     /*                                                                                      */
    int32_t window;       /* IQA_WINDOW_...                                                                       */
    int32_t border;       /* IQA_BORDER_...                                                                       */
    int32_t size_y;       /* odd number of taps down, or IQA_SIZE_AUTO, IQA_SIZE_AUTO_CEILING                     */
    int32_t size_x;       /* the same across                                                                      */
    double sigma_y;       /* standard deviation of the Gaussian down, in the unit of `spacing`                    */
    double sigma_x;       /* the same across                                                                      */
    double truncate;      /* radius of an automatic size, in sigmas                                               */
    double k1;            /* C1 = (k1 L)^2                                                                        */
    double k2;            /* C2 = (k2 L)^2                                                                        */
    int32_t covariance;   /* IQA_COVARIANCE_...: divide by N, or by N - 1 with N the number of taps               */
    int32_t arithmetic;   /* IQA_ARITHMETIC_...                                                                   */
    int32_t nonfinite;    /* IQA_NONFINITE_...                                                                    */
    int32_t size_z;       /* volumes: taps in depth                                                               */
    double sigma_z;       /* volumes: standard deviation in depth                                                 */
    double spacing_z;     /* volumes: distance of voxels in depth, e.g. in mm; 1 where sigmas are in voxels       */
    double spacing_y;     /* distance of pixels down                                                              */
    double spacing_x;     /* distance of pixels across                                                            */
    int32_t luma;         /* IQA_LUMA_...                                                                         */
    int32_t luma_rounded; /* 1: luma is rounded to multiples of L / 255, as some papers do; else 0                */
    int32_t shave;        /* pixels taken off each edge before anything else; 0 for none                          */
    int32_t downsample;   /* images shrink by this factor first; 1 for none, or IQA_DOWNSAMPLE_AUTO. At most the
                             smallest extent that shrinks                                                         */
    int32_t shrink;       /* IQA_SHRINK_...: how, here and from scale to scale                                    */
    int32_t scales;       /* 1 ... IQA_MOST_SCALES; 1 is plain SSIM                                               */
    double scale_weights[IQA_MOST_SCALES]; /* exponents, from the full size on; their sum is 1 within 0.01. Those
                                              beyond `scales` must be 0. Plain SSIM: 1                            */
    int32_t product;         /* IQA_PRODUCT_OF_...                                                                */
    int32_t negative;        /* IQA_NEGATIVE_...                                                                  */
    int32_t contrast_border; /* several scales: the border of all scales but the last, IQA_BORDER_...             */
    int32_t mask;            /* IQA_MASK_...                                                                      */
    double coverage;         /* IQA_MASK_CONVOLUTION: 0 ... 1                                                     */
    int32_t parts;           /* 1: IQA_FIELD_LUMINANCE and its neighbours can be read, which costs time; else 0   */
    int32_t reserved;        /* 0                                                                                 */
} iqa_ssim_options;

#define IQA_SSIM_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        sizeof(iqa_ssim_options), IQA_LAYOUT_HW, 0.0, -1.0, IQA_WINDOW_GAUSSIAN, IQA_BORDER_VALID, IQA_SIZE_AUTO,      \
            IQA_SIZE_AUTO, 1.5, 1.5, 3.5, 0.01, 0.03, IQA_COVARIANCE_POPULATION, IQA_ARITHMETIC_AUTO,                  \
            IQA_NONFINITE_ERROR, IQA_SIZE_AUTO, 1.5, 1.0, 1.0, 1.0, IQA_LUMA_NONE, 0, 0, 1, IQA_SHRINK_SYMMETRIC, 1,   \
            {1.0}, IQA_PRODUCT_OF_CHANNEL, IQA_NEGATIVE_KEEP, IQA_BORDER_VALID, IQA_MASK_CONVOLUTION, 0.0, 0, 0        \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_ssim_options_init(iqa_ssim_options *options, size_t size);

/** Whose SSIM it shall be: what each name means by it, for its default arguments. */
typedef enum iqa_ssim_preset {
    IQA_SSIM_WANG2004 = 0,                /* ssim_index.m of Wang et al.                                           */
    IQA_SSIM_WANG_AUTO = 1,               /* their later ssim.m, which downsamples first                           */
    IQA_SSIM_MATLAB = 2,                  /* ssim of the Image Processing Toolbox                                  */
    IQA_SSIM_SKIMAGE_DEFAULT = 3,         /* scikit-image: uniform 7, sample covariance                            */
    IQA_SSIM_SKIMAGE_GAUSSIAN = 4,        /* gaussian_weights=True, use_sample_covariance=False                    */
    IQA_SSIM_SKIMAGE_GAUSSIAN_SAMPLE = 5, /* gaussian_weights=True alone: sample covariance                        */
    IQA_SSIM_TORCHMETRICS = 6,            /* from 1.4.2 on                                                         */
    IQA_SSIM_TORCHMETRICS_1_4_1 = 7,      /* up to 1.4.1                                                           */
    IQA_SSIM_PYTORCH_MSSSIM = 8,
    IQA_SSIM_PIQ = 9,
    IQA_SSIM_TENSORFLOW = 10,
    IQA_SSIM_OPENCV = 11, /* cv::quality::QualitySSIM: L = 255 whatever the type                                   */
    IQA_SSIM_MONAI = 12,
    IQA_SSIM_FUSED_SSIM = 13,
    IQA_SSIM_PYIQA = 14,  /* IQA-PyTorch: its rounded luma is an input conversion, and part of the preset          */
    IQA_SSIM_FFMPEG = 15, /* the filter ssim                                                                       */
    IQA_MS_SSIM_WANG2003 = 16,
    IQA_MS_SSIM_TORCHMETRICS = 17,
    IQA_MS_SSIM_PYTORCH_MSSSIM = 18,
    IQA_MS_SSIM_PIQ = 19,
    IQA_MS_SSIM_TENSORFLOW = 20,
    IQA_MS_SSIM_MONAI = 21,
    IQA_MS_SSIM_PYIQA = 22
} iqa_ssim_preset;

/** Writes the options that make the value equal to what another library computes, to its own precision:
 *  docs/guide/presets.md says what each means and where its rules are from. The layout is IQA_LAYOUT_HW and the data
 *  range not stated (but for IQA_SSIM_OPENCV): set them as usual. Any field may be changed afterwards.
 *
 *  @param preset  IQA_SSIM_..., IQA_MS_SSIM_....
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT if `options` is NULL, `size` smaller than its first field, or `preset`
 *          unknown. */
IQA_API iqa_status iqa_ssim_options_preset(iqa_ssim_options *options, size_t size, int32_t preset);

/** The name of a preset in lower case without prefix, e.g. "torchmetrics_1_4_1", "ms_ssim_piq"; NULL for any other
 *  number. Presets are numbered from 0 without a gap. Static storage. */
IQA_API const char *iqa_ssim_preset_name(int32_t preset);

/** The shape that `map` of iqa_update_extras has for images of a shape: less the shaved edges, made smaller first where
 *  the options say so, less the window for IQA_BORDER_VALID, one channel for luma.
 *
 *  @param context    receives the text of a failure; may be NULL.
 *  @param options    NULL: the defaults.
 *  @param ndim       axes of the layout of the options.
 *  @param shape      `ndim` extents of the images.
 *  @param map_shape  receives `ndim` extents; may be NULL.
 *  @param factor     receives the factor by which images are made smaller before their first scale, 1 for none; may be
 *                    NULL. IQA_DOWNSAMPLE_AUTO takes the smaller of height and width without shaved edges by 256,
 *                    rounded, at least 1.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_SHAPE where the images have other axes or are too small. */
IQA_API iqa_status iqa_ssim_map_shape(iqa_context *context, const iqa_ssim_options *options, int32_t ndim,
                                      const int64_t *shape, int64_t *map_shape, int32_t *factor);

/** Creates an SSIM metric. Its value is the mean over images of each image's mean over pixels and channels, or of its
 *  product over scales.
 *
 *  @param options  NULL for the defaults, which fit one grey 8- or 16-bit image.
 *  @param out      receives the handle, or NULL on failure.
 *  @return IQA_OK, IQA_ERROR_INVALID_ARGUMENT, IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_ssim_create(iqa_context *context, const iqa_ssim_options *options, iqa_metric **out);

/** Create, update once, compute, destroy. Statuses: those of the four. */
IQA_API iqa_status iqa_measure_ssim(iqa_context *context, const iqa_ssim_options *options, const iqa_tensor *reference,
                                    const iqa_tensor *candidate, double *value);

/* ---- PSNR ---------------------------------------------------------------------------------------------------- */

/** Fields of PSNR. */
typedef enum iqa_psnr_field {
    IQA_FIELD_INFINITE_IMAGES = 6,    /* images with no error at all                                                 */
    IQA_FIELD_PSNR_OF_MEAN_MSE = 7,   /* dB of the mean error, whatever the aggregate option says                    */
    IQA_FIELD_MEAN_PSNR = 8,          /* mean of the images' dB                                                      */
    IQA_FIELD_MEAN_PSNR_OF_FINITE = 9 /* the same over the images with an error                                      */
} iqa_psnr_field;

/** Two numbers go by the name of "average PSNR"; they differ. */
typedef enum iqa_psnr_aggregate {
    IQA_PSNR_OF_MEAN_MSE = 0, /* 10 log10(L^2 / mean squared error over all samples)                                */
    IQA_MEAN_OF_PSNR = 1      /* mean over images of each image's 10 log10(L^2 / MSE)                               */
} iqa_psnr_aggregate;

/** Whose derivative the gradient extras of an update are. It is 0 for equal images, by definition; for images whose
 *  PSNR is the cap, since it does not move; for samples that are masked or shaved off. It is NaN for the other samples
 *  of an image whose value is NaN. Luma hands it on to red, green and blue; its rounding counts as the identity. */
typedef enum iqa_gradient {
    IQA_GRADIENT_OF_PSNR = 0, /* of the image's PSNR, in the stated base                                            */
    IQA_GRADIENT_OF_MSE = 1   /* of the image's mean squared error                                                  */
} iqa_gradient;

/** No cap: equal images have an infinite PSNR. */
#define IQA_PSNR_NO_CAP 1.7976931348623157e308

/** Peak signal-to-noise ratio, 10 log(L^2 / MSE) in the stated base. The squared error of integer images is an exact
 *  integer; of floating-point images an exact sum of the rounded squares. */
typedef struct iqa_psnr_options {
    uint32_t struct_size; /* sizeof(iqa_psnr_options) of the caller                                                 */
    int32_t layout;       /* IQA_LAYOUT_...                                                                         */
    double data_low;      /* the data range: see above                                                              */
    double data_high;     /*                                                                                        */
    double log_base;      /* above 1; 10 gives dB                                                                   */
    double cap;           /* 0 or more: values above are reported as this; IQA_PSNR_NO_CAP for none                 */
    int32_t aggregate;    /* IQA_PSNR_OF_MEAN_MSE or IQA_MEAN_OF_PSNR: what compute gives                           */
    int32_t nonfinite;    /* IQA_NONFINITE_...                                                                      */
    int32_t luma;         /* IQA_LUMA_...                                                                           */
    int32_t luma_rounded; /* 1: luma is rounded to multiples of L / 255, as some papers do; else 0                  */
    int32_t shave;        /* pixels taken off each edge before anything else; 0 for none                            */
    int32_t gradient;     /* IQA_GRADIENT_OF_...: what the gradients of an update are of                            */
} iqa_psnr_options;

#define IQA_PSNR_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        sizeof(iqa_psnr_options), IQA_LAYOUT_HW, 0.0, -1.0, 10.0, IQA_PSNR_NO_CAP, IQA_PSNR_OF_MEAN_MSE,               \
            IQA_NONFINITE_ERROR, IQA_LUMA_NONE, 0, 0, IQA_GRADIENT_OF_PSNR                                             \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_psnr_options_init(iqa_psnr_options *options, size_t size);

/** Creates a PSNR metric. Arguments and statuses: iqa_ssim_create(). Per-image and per-channel values of an update are
 *  in dB; with luma there is one channel. Luma of images that have neither 3 channels nor 1 is IQA_ERROR_SHAPE. compute
 *  and read return IQA_ERROR_INCOMPATIBLE for a value that needs one L when 8- and 16-bit images were mixed without a
 *  stated data range, or updates stated ranges of their own. */
IQA_API iqa_status iqa_psnr_create(iqa_context *context, const iqa_psnr_options *options, iqa_metric **out);

/** Create, update once, compute, destroy. Statuses: those of the four. */
IQA_API iqa_status iqa_measure_psnr(iqa_context *context, const iqa_psnr_options *options, const iqa_tensor *reference,
                                    const iqa_tensor *candidate, double *value);

/* ---- Mean errors --------------------------------------------------------------------------------------------- */

/** Fields of mean errors. The first two are over all samples added, by their weights; the others are the mean of the
 *  images' values: see iqa_error_measure. */
typedef enum iqa_error_field {
    IQA_FIELD_MAE = 13,             /* mean absolute error                                                           */
    IQA_FIELD_RMSE = 14,            /* root of the mean squared error                                                */
    IQA_FIELD_NRMSE_EUCLIDEAN = 15, /* normalised by the reference's root mean square                                */
    IQA_FIELD_NRMSE_MIN_MAX = 16,   /* normalised by its range                                                       */
    IQA_FIELD_NRMSE_MEAN = 17,      /* normalised by its mean                                                        */
    IQA_FIELD_SNR = 18              /* signal-to-noise ratio in dB                                                   */
} iqa_error_field;

/** What the errors of images are measured as; x is the reference, y the candidate, N the samples measured. Weights w
 *  take the place of counts: sum w |x - y| / sum w. The normalised errors are those of scikit-image's
 *  normalized_root_mse(), which are not symmetric in x and y; the signal-to-noise ratio is that of TorchMetrics'
 *  SignalNoiseRatio, without the small number that keeps it finite there. A normalised error is infinite, or NaN for
 *  equal images, where it would be divided by 0; the signal-to-noise ratio is infinite for equal images, minus infinity
 *  where x is 0, and NaN where both are. */
typedef enum iqa_error_measure {
    IQA_MEAN_ABSOLUTE_ERROR = 0,     /* sum |x - y| / N                                                             */
    IQA_MEAN_SQUARED_ERROR = 1,      /* sum (x - y)^2 / N                                                           */
    IQA_ROOT_MEAN_SQUARED_ERROR = 2, /* the root of that: R                                                         */
    IQA_NRMSE_EUCLIDEAN = 3,         /* R / (sum x^2 / N)^(1/2)                                                     */
    IQA_NRMSE_MIN_MAX = 4,           /* R / (max x - min x)                                                         */
    IQA_NRMSE_MEAN = 5,              /* R / (sum x / N)                                                             */
    IQA_SIGNAL_TO_NOISE_RATIO = 6    /* 10 log10(sum x^2 / sum (x - y)^2)                                           */
} iqa_error_measure;

/** Mean absolute error and its kin, all in one metric: each is a field. Sums of integer images are exact integers; of
 *  floating-point images exact sums of the rounded terms. */
typedef struct iqa_errors_options {
    uint32_t struct_size; /* sizeof(iqa_errors_options) of the caller                                               */
    int32_t layout;       /* IQA_LAYOUT_...                                                                         */
    double data_low;      /* the data range: samples outside are counted. Floating-point images need none but for
                             luma; without one only non-finite samples are outside                                  */
    double data_high;     /*                                                                                        */
    int32_t measure;      /* IQA_MEAN_ABSOLUTE_ERROR ...: what compute, per-image and per-channel values give       */
    int32_t nonfinite;    /* IQA_NONFINITE_...                                                                      */
    int32_t luma;         /* IQA_LUMA_...                                                                           */
    int32_t luma_rounded; /* 1: luma is rounded to multiples of L / 255; else 0                                     */
    int32_t shave;        /* pixels taken off each edge before anything else; 0 for none                            */
    int32_t alone;        /* 1: what `measure` needs is kept alone, in a fraction of the time. Then fields of other
                             measures are refused, but for the mean squared error and its root, which go together  */
} iqa_errors_options;

#define IQA_ERRORS_OPTIONS_INIT                                                                                        \
    {                                                                                                                  \
        sizeof(iqa_errors_options), IQA_LAYOUT_HW, 0.0, -1.0, IQA_MEAN_ABSOLUTE_ERROR, IQA_NONFINITE_ERROR,            \
            IQA_LUMA_NONE, 0, 0, 0                                                                                     \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_errors_options_init(iqa_errors_options *options, size_t size);

/** Creates a metric of mean errors. Arguments and statuses: iqa_psnr_create(). Gradients are those of the measure of
 *  the options, which must be one of the first three; that of the mean absolute error is sign(y - x) w / sum w for the
 *  candidate, 0 where both are equal. An image with non-finite samples that are let through is NaN in every measure. */
IQA_API iqa_status iqa_errors_create(iqa_context *context, const iqa_errors_options *options, iqa_metric **out);

/** Create, update once, compute, destroy. Statuses: those of the four. */
IQA_API iqa_status iqa_measure_errors(iqa_context *context, const iqa_errors_options *options,
                                      const iqa_tensor *reference, const iqa_tensor *candidate, double *value);

/* ---- FID ----------------------------------------------------------------------------------------------------- */

/** Fields of FID for iqa_metric_read(). The reference set is the real one, the candidate set the generated one. */
typedef enum iqa_fid_field {
    IQA_FIELD_FID_RAW = 100,                  /* the value before a tiny negative one became 0                      */
    IQA_FIELD_FID_MEAN_TERM = 101,            /* |m1 - m2|^2                                                        */
    IQA_FIELD_FID_TRACE_REFERENCE = 102,      /* tr S1                                                              */
    IQA_FIELD_FID_TRACE_CANDIDATE = 103,      /* tr S2                                                              */
    IQA_FIELD_FID_TRACE_TERM = 104,           /* tr (S1 S2)^(1/2)                                                   */
    IQA_FIELD_FID_RANK_REFERENCE = 105,       /* numerical rank of S1                                               */
    IQA_FIELD_FID_RANK_CANDIDATE = 106,       /* numerical rank of S2                                               */
    IQA_FIELD_FID_ROWS_REFERENCE = 107,       /* rows added to the reference set                                    */
    IQA_FIELD_FID_ROWS_CANDIDATE = 108,       /* rows added to the candidate set                                    */
    IQA_FIELD_FID_FLAGS = 109,                /* sum of IQA_FID_RANK_DEFICIENT, IQA_FID_CLAMPED                     */
    IQA_FIELD_FID_MEAN_REFERENCE = 110,       /* m1: D numbers                                                      */
    IQA_FIELD_FID_MEAN_CANDIDATE = 111,       /* m2: D numbers                                                      */
    IQA_FIELD_FID_COVARIANCE_REFERENCE = 112, /* S1: D x D numbers, divided by N - 1                                */
    IQA_FIELD_FID_COVARIANCE_CANDIDATE = 113, /* S2: D x D numbers                                                  */
    IQA_FIELD_FID_ROUNDING = 114              /* how far rounding to the grid has moved the value at most; there also
                                                 where the value is refused for it                                  */
} iqa_fid_field;

/** Bits of a feature on its grid. */
typedef enum iqa_fid_word {
    IQA_FID_WORD_24 = 24, /* about twice as fast: p = 19 holds |x| <= 15.8, p = 16 holds |x| <= 127                  */
    IQA_FID_WORD_32 = 32  /* p = 24 holds |x| <= 127, p = 20 holds |x| <= 2032                                      */
} iqa_fid_word;

/** The two sets of a FID metric. */
typedef enum iqa_fid_side { IQA_FID_REFERENCE = 0, IQA_FID_CANDIDATE = 1 } iqa_fid_side;

/** Flags of IQA_FIELD_FID_FLAGS. */
typedef enum iqa_fid_flag {
    IQA_FID_RANK_DEFICIENT = 1, /* a covariance has a rank below D: too few rows, or constant or repeated features.
                                   The value is accurate; as an estimate for more rows it is biased upwards         */
    IQA_FID_CLAMPED = 2         /* rounding had made the value negative; it is reported as 0                        */
} iqa_fid_flag;

/** Frechet distance of two sets of features: M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, "GANs
 *  trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017 (FID, when the features
 *  are those of the Inception network):
 *
 *    |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)      with covariances divided by N - 1.
 *
 *  Each feature x is rounded once to the nearest multiple of 2^-p, ties to even; from there on the moments are exact
 *  integers. With p = 24 this moves FID by about 1e-8; features that are multiples of 2^-p are not moved at all. How
 * far it has moved at most is IQA_FIELD_FID_ROUNDING; where that is more than 2^-10 of |m1 - m2|^2 + tr S1 + tr S2, as
 * of features that are nearly all smaller than some hundred steps of the grid, results are refused with
 * IQA_ERROR_NUMERIC, and the text says which p would suit the features.
 *
 *  `weights`, `layer` and `resize` say where features come from, so that features of different networks are not taken
 *  for one set: the state keeps them, and like all options they have to be equal where metrics are merged. Features
 *  without them merge with their like alone. The library does not look whether they are true. */
typedef struct iqa_fid_options {
    uint32_t struct_size;  /* sizeof(iqa_fid_options) of the caller                                                 */
    int32_t features;      /* D, numbers in a row: 1 ... 16384                                                      */
    int32_t fraction_bits; /* p, -120 ... 120: the grid is 2^-p                                                     */
    int32_t word_bits;     /* IQA_FID_WORD_32: |x| <= 127 * 2^(24 - p); IQA_FID_WORD_24: |x| <= 127 * 2^(16 - p)    */
    uint64_t weights;      /* where the features come from: iqa_network_digest() of the network, or 0: not stated   */
    int32_t layer;         /* IQA_LAYER_..., whose width features is; 0 without weights                             */
    int32_t resize;        /* IQA_RESIZE_... of the network; 0 without weights                                      */
} iqa_fid_options;

#define IQA_FID_OPTIONS_INIT                                                                                           \
    {                                                                                                                  \
        sizeof(iqa_fid_options), 2048, 24, IQA_FID_WORD_32, 0, IQA_LAYER_64, IQA_RESIZE_TENSORFLOW                     \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_fid_options_init(iqa_fid_options *options, size_t size);

/** Creates a FID metric. Its updates take features: `reference` and `candidate` are float16, bfloat16, float32 or
 *  float64 tensors [N, D] with any strides, of different N and element type as they come, on the CPU or both on one
 *  CUDA device, and one of them may be NULL. A feature that is not finite or outside the range of the options fails the
 *  update with IQA_ERROR_NUMERIC, and the text says where it is; of an update on a CUDA device this is found by the
 *  next call that asks for the state. Then nothing of that update is added. `extras` must ask for nothing.
 *
 *  The state takes 8 D (D + 5) bytes for each set, 34 MB at D = 2048, however many rows were added (up to 2^31). The
 *  first compute or read of a result after a change takes O(D^3) time, 24 D^2 bytes of memory, and reports progress;
 *  further reads are quick. It needs two rows in each set: IQA_ERROR_NO_DATA with fewer. After an update on a CUDA
 *  device the states lie there too, and from D = 256 on the result is found there, in 32 D^2 bytes, with the same bits.
 *
 *  @param options  NULL for the defaults, D = 2048.
 *  @param out      receives the handle, or NULL on failure.
 *  @return IQA_OK, IQA_ERROR_INVALID_ARGUMENT, IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_fid_create(iqa_context *context, const iqa_fid_options *options, iqa_metric **out);

/** Forgets one set and keeps the other: real features are added once, and each epoch's generated ones are compared
 *  with them.
 *
 *  @param side  IQA_FID_REFERENCE or IQA_FID_CANDIDATE.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, also for a metric that is no FID. */
IQA_API iqa_status iqa_fid_reset_side(iqa_metric *metric, int32_t side);

/** Create, update once, compute, destroy. Statuses: those of the four. */
IQA_API iqa_status iqa_measure_fid(iqa_context *context, const iqa_fid_options *options, const iqa_tensor *reference,
                                   const iqa_tensor *candidate, double *value);

/** FID for sets without end: FID falls as rows are added, nearly in proportion to 1 / N. For the candidate rows of the
 *  first shard, of the first two, and so on, against the reference rows of all shards, FID is computed, and the line
 *  through the values over 1 / N is followed to 1 / N = 0 (M. J. Chong, D. Forsyth, "Effectively unbiased FID and
 *  Inception Score and where to find them", CVPR 2020). The first shard should have several times D rows.
 *
 *  @param shards  FID metrics with the same options, two or more of them with candidate rows. Their contexts must not
 *                 be in use; the first one's threads compute, and its error text tells what failed.
 *  @param value   receives the value at infinity.
 *  @param slope   receives the slope of the line, FID times rows; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT; IQA_ERROR_INCOMPATIBLE for different options; those of compute. */
IQA_API iqa_status iqa_fid_extrapolate(const iqa_metric *const *shards, size_t count, double *value, double *slope);

/** FID with an error bar: the candidate rows of each shard are left out once, and the spread of these values tells how
 *  much the choice of candidate rows matters (the jackknife). The reference set, of all shards, is taken as it is.
 *
 *  @param shards          as for iqa_fid_extrapolate(); ten or more of equal size are a good number.
 *  @param value           receives the jackknife's estimate, whose bias of order 1 / N is taken out.
 *  @param standard_error  receives its standard error.
 *  @return as for iqa_fid_extrapolate(). */
IQA_API iqa_status iqa_fid_jackknife(const iqa_metric *const *shards, size_t count, double *value,
                                     double *standard_error);

/** The distance of two sets of which only mean and covariance are known, as in the statistics files that FID programs
 *  exchange (arrays mu and sigma). All are tensors of float64 or narrower floating-point numbers on the CPU, with any
 *  strides: means [D], covariances [D, D], symmetric and positive semi-definite to 1e-8 of the largest variance. Unlike
 *  the value of a metric, this one is only as exact as what it is given.
 *
 *  @param out       receives up to 8 numbers: value, raw value, mean term, tr S1, tr S2, trace term, ranks of S1 and
 * S2.
 *  @param capacity  how many `out` holds; 1 gives the value alone.
 *  @param count     receives 8; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _UNAVAILABLE (no CPU tensor), _CANCELLED,
 *          _OUT_OF_MEMORY; IQA_ERROR_NUMERIC for numbers that are not finite, for variances whose squares would vanish
 *          or overflow, and for matrices that are no covariances. */
IQA_API iqa_status iqa_fid_from_statistics(iqa_context *context, const iqa_tensor *mean_reference,
                                           const iqa_tensor *covariance_reference, const iqa_tensor *mean_candidate,
                                           const iqa_tensor *covariance_candidate, double *out, size_t capacity,
                                           size_t *count);

/* ---- KID ----------------------------------------------------------------------------------------------------- */

/** How the mean over pairs of rows is taken. */
typedef enum iqa_kid_estimator {
    IQA_KID_UNBIASED = 0, /* pairs of a row with itself are left out: right on average, slightly negative at times    */
    IQA_KID_BIASED = 1    /* with them: 0 for equal sets, not negative beyond rounding, too large by some 1 / N      */
} iqa_kid_estimator;

/** What tells rows apart where some are drawn at random, or all of them are put in a random order. */
typedef enum iqa_draw_by {
    IQA_DRAW_BY_INDEX = 0,  /* their indices: rows in another order are drawn otherwise                             */
    IQA_DRAW_BY_CONTENT = 1 /* their numbers, of any element type: the order in which rows come changes no value    */
} iqa_draw_by;

/** gamma = 1 / D. */
#define IQA_KID_GAMMA_AUTO (-1.0)

/** Kernel inception distance, the squared maximum mean discrepancy of two sets of features x and y: M. Binkowski, D. J.
 *  Sutherland, M. Arbel, A. Gretton, "Demystifying MMD GANs", ICLR 2018; the estimators are those of A. Gretton, K. M.
 *  Borgwardt, M. J. Rasch, B. Schoelkopf, A. Smola, "A kernel two-sample test", JMLR 13, 2012:
 *
 *    mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j)      with k(a, b) = (gamma a.b + coef0)^degree,
 *
 *  the first two means over all i and j that differ (IQA_KID_UNBIASED), or over all (IQA_KID_BIASED).
 *
 *  With subsets, this is done for each of several random subsets of both sets, and what is reported is the mean and the
 *  standard deviation of their values; the defaults are those of the programs that published values come from. Without
 *  them, all rows are compared once, which is the more accurate number. */
typedef struct iqa_kid_options {
    uint32_t struct_size; /* sizeof(iqa_kid_options) of the caller                                                  */
    int32_t degree;       /* 1 ... 16                                                                               */
    double gamma;         /* above 0, or IQA_KID_GAMMA_AUTO                                                         */
    double coef0;         /* 0 or more                                                                              */
    int32_t estimator;    /* IQA_KID_...                                                                            */
    int32_t subsets;      /* how many, up to 100000; 0: none, all rows                                              */
    int64_t subset_size;  /* rows of a subset, of each set; none is drawn twice. Not used without subsets           */
    uint64_t seed;        /* says which rows: docs/guide/fid.md has the rule, so that any program can draw the same */
    int32_t draw_by;      /* IQA_DRAW_BY_...                                                                        */
    int32_t reserved;     /* 0                                                                                      */
} iqa_kid_options;

#define IQA_KID_OPTIONS_INIT                                                                                           \
    {                                                                                                                  \
        sizeof(iqa_kid_options), 3, IQA_KID_GAMMA_AUTO, 1.0, IQA_KID_UNBIASED, 100, 1000, 0, IQA_DRAW_BY_INDEX, 0      \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_kid_options_init(iqa_kid_options *options, size_t size);

/** KID of two tables of features. There is no accumulating metric, as pairs of rows need all rows: 16,384 D + 13
 *  million bytes are taken at most, and 16 for each row where subsets are drawn (24 by content), or up to 48 (56) where
 *  many subsets of few rows take their products from those of all rows, but never a matrix of all pairs. Reports
 *  progress.
 *
 *  On a CUDA device the same bits come out; the call works on the context's stream and waits for it. There it takes
 *  15 MB at most, or 32 bytes for each row of a subset where that is more, or 8 for each row where they are drawn by
 *  content; on the host twice as much at most, and 16 for each row where subsets are drawn (24 by content).
 *
 *  @param options             NULL for the defaults.
 *  @param reference           float16, bfloat16, float32 or float64 [N, D] with any strides, on the CPU or a CUDA
 * device.
 *  @param candidate           the same, [M, D]; N, M and the element types may differ, but not the device.
 *  @param mean                receives KID: the mean over subsets, or the value of all rows.
 *  @param standard_deviation  receives that of the subsets' values, divided by their number (not that less 1): 0 with
 *                             one subset or none. May be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _DEVICE, _UNAVAILABLE, _CUDA, _CANCELLED,
 *          _OUT_OF_MEMORY; IQA_ERROR_NO_DATA for a set with fewer rows than a subset or than the estimator needs (2,
 *          or 1 if biased); IQA_ERROR_NUMERIC for a feature that is not finite, in a subset or not, and for features
 *          whose kernel values overflow. */
IQA_API iqa_status iqa_measure_kid(iqa_context *context, const iqa_kid_options *options, const iqa_tensor *reference,
                                   const iqa_tensor *candidate, double *mean, double *standard_deviation);

/* ---- Precision, recall, density, coverage --------------------------------------------------------------------- */

/** Whether the ball of a row has its surface, which decides ties. */
typedef enum iqa_prdc_ball {
    IQA_PRDC_OPEN = 0,  /* a row inside is nearer than the k-th neighbour, as in prdc                               */
    IQA_PRDC_CLOSED = 1 /* or exactly as near, as in torch-fidelity and in the authors' code of precision and recall */
} iqa_prdc_ball;

/** Precision and recall: T. Kynkaanniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila, "Improved precision and recall
 *  metric for assessing generative models", NeurIPS 2019. Density and coverage: M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi,
 *  J. Yoo, "Reliable fidelity and diversity metrics for generative models", ICML 2020.
 *
 *  The ball of a row reaches to its k-th nearest neighbour in its own set, itself not counted. With N rows of the
 *  reference and M of the candidate,
 *
 *    precision  the part of the candidate's rows that lie in any ball of the reference;
 *    recall     the part of the reference's rows that lie in any ball of the candidate;
 *    density    1 / (k M) times the pairs of a ball of the reference and a row of the candidate in it: may exceed 1;
 *    coverage   the part of the reference's balls in which any row of the candidate lies.
 *
 *  The defaults are those of prdc, the program of the second paper; torch-fidelity has k = 3 and closed balls. */
typedef struct iqa_prdc_options {
    uint32_t struct_size; /* sizeof(iqa_prdc_options) of the caller                                                 */
    int32_t ball;         /* IQA_PRDC_OPEN or IQA_PRDC_CLOSED                                                       */
    int64_t k;            /* 1 or more, and less than both sets have rows                                           */
} iqa_prdc_options;

#define IQA_PRDC_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        sizeof(iqa_prdc_options), IQA_PRDC_OPEN, 5                                                                     \
    }

/** The numbers that iqa_measure_prdc() gives, in this order. */
typedef enum iqa_prdc_value {
    IQA_PRDC_PRECISION = 0, /* PRECISE / M                                                                          */
    IQA_PRDC_RECALL = 1,    /* RECALLED / N                                                                         */
    IQA_PRDC_DENSITY = 2,   /* PAIRS / (k M)                                                                        */
    IQA_PRDC_COVERAGE = 3,  /* COVERED / N                                                                          */
    IQA_PRDC_PRECISE = 4,   /* rows of the candidate in any ball of the reference                                   */
    IQA_PRDC_RECALLED = 5,  /* rows of the reference in any ball of the candidate                                   */
    IQA_PRDC_COVERED = 6,   /* balls of the reference with any row of the candidate                                 */
    IQA_PRDC_PAIRS = 7      /* pairs of a ball of the reference and a row of the candidate in it                    */
} iqa_prdc_value;

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_prdc_options_init(iqa_prdc_options *options, size_t size);

/** Precision, recall, density and coverage of two tables of features. There is no accumulating metric, as neighbours
 *  need all rows: 16,384 D + 13 million bytes are taken at most, 44 for each row, and 8 k for each of the larger set,
 *  but never a matrix of all pairs. Reports progress.
 *
 *  Features are rounded once to multiples of 2^-p, with one p for both sets: the largest for which the longest row, as
 *  a vector, stays below 2^25. From there on all distances are integers below 2^27 whose squares are compared exactly,
 *  so that the counts depend neither on threads nor on the instruction set nor on the order of rows. No feature is too
 *  large or too small for the grid by itself, but a set of rows that differ by little beside the longest row of both
 *  is refused, where rounding may have moved more than 1 row in 64 by more than 1 / 256 of its ball's radius.
 *
 *  @param options    NULL for the defaults.
 *  @param reference  float16, bfloat16, float32 or float64 [N, D] with any strides, on the CPU or a CUDA device.
 *  @param candidate  the same, [M, D]; N, M and the element types may differ, but not the device.
 *  @param out        receives up to 8 numbers, in the order of IQA_PRDC_....
 *  @param capacity   how many `out` holds.
 *  @param count      receives 8; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _DEVICE, _UNAVAILABLE, _CUDA, _CANCELLED,
 *          _OUT_OF_MEMORY; IQA_ERROR_NO_DATA for a set with no more than k rows; IQA_ERROR_NUMERIC for a feature that
 *          is not finite, for a row whose square overflows, and for rows that differ by too little. */
IQA_API iqa_status iqa_measure_prdc(iqa_context *context, const iqa_prdc_options *options, const iqa_tensor *reference,
                                    const iqa_tensor *candidate, double *out, size_t capacity, size_t *count);

/* ---- Inception Score ----------------------------------------------------------------------------------------- */

/** What the scores of a row are. Stated, never guessed. */
typedef enum iqa_scores {
    IQA_SCORES_LOGITS = 0,       /* any finite numbers; their softmax is taken                                      */
    IQA_SCORES_PROBABILITIES = 1 /* from 0 to 1; a row sums to 1 within 0.001 and is divided by its sum             */
} iqa_scores;

/** Inception Score: T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen, "Improved techniques for
 *  training GANs", NeurIPS 2016:
 *
 *    exp(mean over rows of KL(p_i || p))      with p_i the class probabilities of row i and p their mean.
 *
 *  The rows are cut into splits, split s of S being rows floor(s N / S) ... floor((s + 1) N / S) - 1 in the order of
 * the options; each split has its own p and value, and what is reported is the mean and standard deviation of those. */
typedef struct iqa_inception_score_options {
    uint32_t struct_size; /* sizeof(iqa_inception_score_options) of the caller                                      */
    int32_t scores;       /* IQA_SCORES_...                                                                         */
    int32_t splits;       /* S, 1 or more                                                                           */
    int32_t shuffle;      /* 1: in a random order, for rows often come by class; 0: as they are                     */
    uint64_t seed;        /* says which order: docs/guide/fid.md has the rule                                       */
    int32_t draw_by;      /* IQA_DRAW_BY_...                                                                        */
    int32_t reserved;     /* 0                                                                                      */
} iqa_inception_score_options;

#define IQA_INCEPTION_SCORE_OPTIONS_INIT                                                                               \
    {                                                                                                                  \
        sizeof(iqa_inception_score_options), IQA_SCORES_LOGITS, 10, 1, 0, IQA_DRAW_BY_INDEX, 0                         \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_inception_score_options_init(iqa_inception_score_options *options, size_t size);

/** Inception Score of a table of class scores. Reports progress.
 *
 *  On a CUDA device the same bits come out; the call works on the context's stream and waits for it. There it takes 24
 *  bytes for each row, 40 if they are shuffled, and 32 (C + 1) for each split, of as many splits at once as 16 MiB
 * hold.
 *
 *  @param options             NULL for the defaults.
 *  @param scores              float16, bfloat16, float32 or float64 [N, C] with any strides, on the CPU or a CUDA
 * device.
 *  @param mean                receives the mean over splits, from 1 to C.
 *  @param standard_deviation  receives that of the splits' values, divided by their number (not that less 1): 0 with
 *                             one split. May be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _UNAVAILABLE, _CUDA, _CANCELLED, _OUT_OF_MEMORY;
 *          IQA_ERROR_NO_DATA for fewer rows than splits; IQA_ERROR_NUMERIC for a number that is not
 *          finite, or is no probability where it should be. */
IQA_API iqa_status iqa_measure_inception_score(iqa_context *context, const iqa_inception_score_options *options,
                                               const iqa_tensor *scores, double *mean, double *standard_deviation);

/* ---- Networks: features of pictures -------------------------------------------------------------------------- */

/** Inception v3 as FID uses it (C. Szegedy and others, "Rethinking the Inception architecture for computer vision",
 *  CVPR 2016; the graph of 2015-12-05): pictures in, features out, for FID, KID and the Inception Score.
 *
 *  A feature depends on its picture and the weights alone: not on the batch, the threads, the instruction set or the
 *  device. Every output of every layer is one chain of float32 multiply-adds in a stated order
 * (docs/reference/numerics.md).
 *
 *  The weights do not come with the library: they are the caller's, by the names of a PyTorch state dictionary. */
typedef struct iqa_network iqa_network;

/** Whose resizing brings pictures to 299 x 299, and whose normalisation follows. FID depends on it. */
typedef enum iqa_resize {
    IQA_RESIZE_TENSORFLOW = 0, /* TensorFlow 1's bilinear, (v - 128) / 128: torch-fidelity                            */
    IQA_RESIZE_PYTORCH = 1,    /* PyTorch's bilinear without antialiasing, 2 v / 255 - 1: pytorch-fid                 */
    IQA_RESIZE_CLEAN = 2,      /* Pillow's antialiased bicubic on floats, (v - 128) / 128: clean-fid                  */
    IQA_RESIZE_NONE = 3,       /* pictures are 299 x 299 already; (v - 128) / 128                                     */
    IQA_RESIZE_TORCHMETRICS = 4 /* PyTorch's antialiased bilinear, (v - 128) / 128: TorchMetrics, unless antialias is
                                   False, which is IQA_RESIZE_TENSORFLOW                                              */
} iqa_resize;

/** Which features: the mean over a layer's map, or the scores of the classes. */
typedef enum iqa_layer {
    IQA_LAYER_64 = 0,             /* after the first max pooling: 64 features                                         */
    IQA_LAYER_192 = 1,            /* after the second: 192                                                            */
    IQA_LAYER_768 = 2,            /* before the last reduction: 768                                                   */
    IQA_LAYER_2048 = 3,           /* the last: FID's 2048                                                             */
    IQA_LAYER_LOGITS = 4,         /* 1008 scores of classes                                                           */
    IQA_LAYER_LOGITS_UNBIASED = 5 /* without the bias: what the Inception Score takes                                 */
} iqa_layer;

/** Options of a network. */
typedef struct iqa_network_options {
    uint32_t struct_size; /* sizeof(iqa_network_options) of the caller                                              */
    int32_t layout;       /* IQA_LAYOUT_... of pictures; 1 or 3 channels, of which one stands for all three          */
    int32_t resize;       /* IQA_RESIZE_...                                                                         */
    int32_t at_once;      /* pictures under way at once, each in 11.3 MB; 0: as many as threads, but 2 to 16; on a
                             CUDA device 64                                                                         */
    double data_low;      /* the range of the samples, which becomes 0 to 255; above data_high for that of an       */
    double data_high;     /* integer type, while floating-point pictures must state it                              */
} iqa_network_options;

#define IQA_NETWORK_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        sizeof(iqa_network_options), IQA_LAYOUT_NHWC, IQA_RESIZE_TENSORFLOW, 0, 0.0, -1.0                              \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_network_options_init(iqa_network_options *options, size_t size);

/** A weight: `name` as in a state dictionary, "Mixed_5b.branch1x1.conv.weight". */
typedef struct iqa_named_tensor {
    const char *name;
    const iqa_tensor *tensor;
} iqa_named_tensor;

/** Makes a network. The weights are copied: 95 MB are taken from the context's allocator.
 *
 *  Wanted are, of each convolution NAME, NAME.conv.weight [out, in, rows, columns] and NAME.bn.weight, .bias,
 *  .running_mean and .running_var [out], and fc.weight [1008, 2048] and fc.bias [1008]: 472 tensors. Counters of
 *  training (num_batches_tracked) and AuxLogits may be there too; other names are refused. Normalisation is folded into
 *  the weights in double and rounded once.
 *
 *  @param options  NULL for the defaults.
 *  @param tensors  float16, bfloat16, float32 or float64 with any strides, on the CPU, in any order.
 *  @param count    how many.
 *  @param out      receives the network, which keeps the context alive; end it with iqa_network_destroy().
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for a missing, unknown or repeated name; _SHAPE, _DTYPE, _DEVICE;
 *          IQA_ERROR_NUMERIC for a weight that is not finite; IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_network_create(iqa_context *context, const iqa_network_options *options,
                                      const iqa_named_tensor *tensors, size_t count, iqa_network **out);

/** The name of each tensor that a network is made of, in the library's memory; NULL for any other index.
 *
 *  @param index  0, 1, ...
 *  @param ndim   receives how many axes it has, at most 4. May be NULL.
 *  @param shape  receives its extents. May be NULL. */
IQA_API const char *iqa_network_weight(int32_t index, int32_t *ndim, int64_t *shape);

/** Ends a network. NULL is allowed. */
IQA_API void iqa_network_destroy(iqa_network *network);

/** How many features a layer has. IQA_ERROR_INVALID_ARGUMENT for a number that is no layer's. */
IQA_API iqa_status iqa_network_layer_width(int32_t layer, int32_t *width);

/** Where the features of a layer go. */
typedef struct iqa_layer_features {
    int32_t layer;              /* IQA_LAYER_...                                                                    */
    const iqa_tensor *features; /* float32 or float64 [N, width], with any strides, on the pictures' device         */
} iqa_layer_features;

/** The features of N pictures of any size. Reports progress by pictures, and can be cancelled by it.
 *
 *  The memory of the pictures under way is kept for the next call; each thread takes a strip of rows beside it.
 *
 *  On a CUDA device the same bits come out; the call works on the context's stream and waits for it. The device's
 * memory holds the pictures under way, a copy of the weights (95 MB), and 2.4 KB for each row and channel of the
 * pictures whose rows fit 64 MiB at once, but at least one. A network keeps memory on one device, that of its last
 * call.
 *
 *  @param pictures  uint8, uint16, int16, float16, bfloat16, float32 or float64, on the CPU or a CUDA device.
 *  @param outputs   one for each layer that is wanted; all of them come from one pass.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, _SHAPE, _DTYPE, _DEVICE, _UNAVAILABLE, _CUDA, _CANCELLED,
 *          _OUT_OF_MEMORY; IQA_ERROR_NUMERIC for a picture or a feature that is not finite. Where a call fails, some
 * features may have been written. */
IQA_API iqa_status iqa_network_features(iqa_network *network, const iqa_tensor *pictures,
                                        const iqa_layer_features *outputs, size_t count);

/** 64 bits that stand for the weights: state them beside a FID, so that readers know what made it.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for NULL. */
IQA_API iqa_status iqa_network_digest(const iqa_network *network, uint64_t *digest);

/* ---- Confusion metrics: labels compared ---------------------------------------------------------------------- */

/** Fields of confusion metrics for iqa_metric_read(). C is the number of classes; the matrix has a row for each class
 * of the reference and a column for each class of the candidate. With weights every count but the first four is a sum
 * of weights. */
typedef enum iqa_confusion_field {
    IQA_FIELD_CONFUSION_SAMPLES = 200,          /* samples added: see `batched`                                       */
    IQA_FIELD_CONFUSION_ELEMENTS = 201,         /* elements added; multilabel: elements times classes                 */
    IQA_FIELD_CONFUSION_IGNORED = 202,          /* of these, dropped because the reference has the ignore label       */
    IQA_FIELD_CONFUSION_INVALID = 203,          /* of these, with a label outside the classes on either side          */
    IQA_FIELD_CONFUSION_MATRIX = 204,           /* C x C; multilabel: C x 2 x 2, [[tn, fp], [fn, tp]] of each class   */
    IQA_FIELD_CONFUSION_MATRIX_BY_ROW = 205,    /* the same, each row divided by its sum; 0 where the sum is 0        */
    IQA_FIELD_CONFUSION_MATRIX_BY_COLUMN = 206, /* each column divided by its sum                                    */
    IQA_FIELD_CONFUSION_MATRIX_BY_ALL = 207,    /* everything divided by the sum of all (multilabel: of the class)    */
    IQA_FIELD_CONFUSION_TRUE_POSITIVES = 208,   /* C numbers                                                          */
    IQA_FIELD_CONFUSION_FALSE_POSITIVES = 209,  /* C numbers                                                          */
    IQA_FIELD_CONFUSION_FALSE_NEGATIVES = 210,  /* C numbers                                                          */
    IQA_FIELD_CONFUSION_TRUE_NEGATIVES = 211,   /* C numbers                                                          */
    IQA_FIELD_CONFUSION_SUPPORT = 212,          /* C numbers: elements of the class in the reference                  */
    IQA_FIELD_CONFUSION_PRESENCE = 213          /* C numbers: 0 the class occurs nowhere, 1 in the reference, 2 in the
                                                   candidate, 3 in both                                               */
} iqa_confusion_field;

/** What is counted. */
typedef enum iqa_task {
    IQA_TASK_MULTICLASS = 0, /* each element has one of C classes; binary is C = 2, class 1 being the positive one  */
    IQA_TASK_MULTILABEL = 1  /* each element has a yes or a no for each of C classes, along an axis of classes      */
} iqa_task;

/** What the elements of a tensor are. Stated, never guessed. Integers may be bool, uint8, uint16, uint32, uint64, int8,
 *  int16, int32 or int64; scores any of these, float16, bfloat16, float32 or float64. A label counts as the number that
 *  it is: 255 of uint8 is not -1. */
typedef enum iqa_labels {
    IQA_LABELS_INDEX = 0,    /* integers, the number of the class; multilabel: 1 for yes, 0 for no                  */
    IQA_LABELS_ONE_HOT = 1,  /* an axis of C classes with a single 1 among zeros. All zeros are the label -1,
                                anything else the label -2, and `ignore_label` may name either                      */
    IQA_LABELS_ARGMAX = 2,   /* an axis of C scores: the class is the largest one's, the lowest of equal ones       */
    IQA_LABELS_THRESHOLD = 3 /* a score: above `threshold` it is 1, else 0 (binary, multilabel)                     */
} iqa_labels;

/** What is kept: sums for all pairs of classes, or for each class. */
typedef enum iqa_counts {
    IQA_COUNTS_MATRIX = 0,   /* 8 (C + 1)^2 bytes; with weights 64 (C + 1)^2. 1 GiB at most: C = 11,584, or 4,095   */
    IQA_COUNTS_PER_CLASS = 1 /* 24 C bytes; with weights 192 C. Everything but the matrix and weighted kappas       */
} iqa_counts;

/** What to do with labels outside 0 ... C - 1 that are not ignored, and with scores that are NaN. None is ever counted
 *  in the cell of another label. */
typedef enum iqa_out_of_range {
    IQA_OUT_OF_RANGE_ERROR = 0, /* the update fails; the text has their number and the first one's value and place  */
    IQA_OUT_OF_RANGE_DROP = 1,  /* the element is left out and counted as invalid                                   */
    IQA_OUT_OF_RANGE_WRONG = 2  /* also counted as invalid, but still an error of the valid label on the other side:
                                   a false negative of the reference's class, a false positive of the candidate's.
                                   Multiclass only                                                                  */
} iqa_out_of_range;

/** Scores, computed from the counts: tp, fp, fn, tn of a class. */
typedef enum iqa_score {
    IQA_SCORE_NONE = -1,
    IQA_SCORE_ACCURACY = 0,    /* tp / (tp + fn), so that micro is the share of correct elements; multilabel
                                  and the binary average: (tp + tn) / (tp + fp + fn + tn)                  */
    IQA_SCORE_PRECISION = 1,   /* tp / (tp + fp)                                                           */
    IQA_SCORE_RECALL = 2,      /* tp / (tp + fn)                                                           */
    IQA_SCORE_SPECIFICITY = 3, /* tn / (tn + fp)                                                           */
    IQA_SCORE_F = 4,           /* (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp), b is `beta`                 */
    IQA_SCORE_DICE = 5,        /* 2 tp / (2 tp + fn + fp)                                                  */
    IQA_SCORE_IOU = 6,         /* tp / (tp + fp + fn), the Jaccard index                                   */
    /* One number each; the average is not used. */
    IQA_SCORE_BALANCED_ACCURACY = 7,      /* mean recall of the classes that occur in the reference                   */
    IQA_SCORE_FREQUENCY_WEIGHTED_IOU = 8, /* mean IoU weighted by support, without any support mean IoU             */
    IQA_SCORE_GENERALIZED_DICE = 9,       /* sum w 2 tp / sum w (2 tp + fp + fn), w from `generalized_weights`        */
    /* The same without samples. */
    IQA_SCORE_MCC = 10,            /* Matthews correlation; multilabel: of the sum of the 2 x 2 matrices       */
    IQA_SCORE_KAPPA = 11,          /* Cohen's kappa, 1 - (sum w O) / (sum w E) with w = 0 on the diagonal,
                                      else 1                                                                   */
    IQA_SCORE_KAPPA_LINEAR = 12,   /* the same with w = |row - column|                                         */
    IQA_SCORE_KAPPA_QUADRATIC = 13 /* the same with w = (row - column)^2                                       */
} iqa_score;

/** How the scores of C classes become one number. There is no default: users of different tools expect different ones.
 */
typedef enum iqa_average {
    IQA_AVERAGE_UNSTATED = -1,
    IQA_AVERAGE_NONE = 0,     /* not at all: C numbers                                                              */
    IQA_AVERAGE_MICRO = 1,    /* the score of the summed counts                                                     */
    IQA_AVERAGE_MACRO = 2,    /* the mean over classes                                                              */
    IQA_AVERAGE_WEIGHTED = 3, /* the mean weighted by support; without any support the mean                         */
    IQA_AVERAGE_BINARY = 4,   /* the score of class 1 of 2                                                          */
    IQA_AVERAGE_PAIRS = 5     /* the mean over all (sample, class) pairs whose score is defined; needs samples      */
} iqa_average;

/** What the counts are of. The mean of scores is not the score of sums. */
typedef enum iqa_over {
    IQA_OVER_ELEMENTS = 0, /* everything added so far: the score of the data set                                    */
    IQA_OVER_SAMPLES = 1   /* each sample by itself: the mean of the samples' scores; needs `keep_samples`          */
} iqa_over;

/** The value of a score that is 0 / 0. */
typedef enum iqa_zero_division {
    IQA_ZERO_DIVISION_ZERO = 0,
    IQA_ZERO_DIVISION_ONE = 1,
    IQA_ZERO_DIVISION_NAN = 2, /* NaN, and so is every average that it enters                                       */
    IQA_ZERO_DIVISION_SKIP = 3 /* NaN, left out of averages                                                         */
} iqa_zero_division;

/** What an empty class counts: one that occurs neither in the reference nor in the candidate. Micro averages and the
 *  generalised Dice score, which take classes together, count the same where none of these occurs and their ratio is
 *  0 / 0. */
typedef enum iqa_empty {
    IQA_EMPTY_SKIP = 0,              /* NaN by itself, left out of averages                                           */
    IQA_EMPTY_ZERO = 1,              /* 0                                                                             */
    IQA_EMPTY_ONE = 2,               /* 1                                                                             */
    IQA_EMPTY_NAN = 3,               /* NaN, and so is every average                                                  */
    IQA_EMPTY_AS_RATIO = 4,          /* nothing special: whatever the formula and `zero_division` give                */
    IQA_EMPTY_SKIP_IN_AVERAGES = 5,  /* by itself as IQA_EMPTY_AS_RATIO, but left out of averages                    */
    IQA_EMPTY_ONE_ELSE_ZERO = 6,     /* 1; a class of the candidate that the reference lacks is 0, whatever the score */
    IQA_EMPTY_SKIP_UNREFERENCED = 7, /* as IQA_EMPTY_SKIP, and for every class that the reference lacks: its false
                                      positives go unpunished                                                       */
    IQA_EMPTY_SKIP_IGNORED_IN_IOU = 8 /* as IQA_EMPTY_SKIP_IN_AVERAGES; besides, averages of the IoU leave out a class
                                      whose number is `ignore_label`. TorchMetrics' rule                            */
} iqa_empty;

/** Weights of the generalised Dice score for a class with t elements in the reference: 1 / t^2, 1 / t, 1. A class
 *  without any takes the largest weight of the others. */
typedef enum iqa_weights { IQA_WEIGHTS_SQUARE = 0, IQA_WEIGHTS_SIMPLE = 1, IQA_WEIGHTS_LINEAR = 2 } iqa_weights;

/** How a score is read from the counts. */
typedef struct iqa_confusion_reading {
    uint32_t struct_size;        /* sizeof(iqa_confusion_reading) of the caller                                     */
    int32_t average;             /* IQA_AVERAGE_...; must be stated for the scores that use it                      */
    int32_t over;                /* IQA_OVER_...                                                                    */
    int32_t empty;               /* IQA_EMPTY_...                                                                   */
    int32_t zero_division;       /* IQA_ZERO_DIVISION_...; also of a mean over no class at all, but with
                                    IQA_EMPTY_SKIP and _SKIP_UNREFERENCED: there it is NaN                          */
    int32_t generalized_weights; /* IQA_WEIGHTS_...                                                                 */
    double beta;                 /* of IQA_SCORE_F: recall counts beta times as much as precision; 0: not at all    */
    const uint8_t *excluded;     /* for each class whether to leave it out of averages (not 0); NULL: none is. Its
                                    elements stay counted, unlike those of `ignore_label`                           */
    int64_t excluded_count;      /* numbers behind `excluded`: C, or 0 with NULL                                    */
} iqa_confusion_reading;

#define IQA_CONFUSION_READING_INIT                                                                                     \
    {                                                                                                                  \
        sizeof(iqa_confusion_reading), IQA_AVERAGE_UNSTATED, IQA_OVER_ELEMENTS, IQA_EMPTY_SKIP,                        \
            IQA_ZERO_DIVISION_ZERO, IQA_WEIGHTS_SQUARE, 1.0, NULL, 0                                                   \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_confusion_reading_init(iqa_confusion_reading *reading, size_t size);

/** The rules of known tools. docs/guide/confusion.md has the table, and where those tools disagree with themselves. */
typedef enum iqa_convention {
    IQA_CONVENTION_SCIKIT_LEARN = 0,            /* labels=None, zero_division=0                                     */
    IQA_CONVENTION_TORCHMETRICS = 1,            /* multiclass classification                                        */
    IQA_CONVENTION_TORCHMETRICS_MULTILABEL = 2, /* multilabel classification                                        */
    IQA_CONVENTION_TORCHMETRICS_DICE = 3,       /* segmentation.DiceScore, samplewise                               */
    IQA_CONVENTION_TORCHMETRICS_MEAN_IOU = 4,   /* segmentation.MeanIoU: mean over (sample, class) pairs            */
    IQA_CONVENTION_MONAI = 5,                   /* DiceMetric, MeanIoU: ignore_empty=True, mean over samples        */
    IQA_CONVENTION_MONAI_KEEP_EMPTY = 6,        /* ignore_empty=False                                               */
    IQA_CONVENTION_MMSEGMENTATION = 7           /* IoUMetric: mean over classes of the IoU of the data set          */
} iqa_convention;

/** Writes the reading of a convention; where the convention includes the average, that too. Statuses:
 *  iqa_context_options_init(), and IQA_ERROR_INVALID_ARGUMENT for an unknown convention. */
IQA_API iqa_status iqa_confusion_reading_preset(iqa_confusion_reading *reading, size_t size, int32_t convention);

typedef struct iqa_confusion_options {
    uint32_t struct_size;                 /* sizeof(iqa_confusion_options) of the caller                            */
    int32_t classes;                      /* C, 1 ... 65536; must be stated                                         */
    int32_t task;                         /* IQA_TASK_...                                                           */
    int32_t reference;                    /* IQA_LABELS_...: what the reference has                                 */
    int32_t candidate;                    /* IQA_LABELS_...: what the candidate has                                 */
    int32_t class_axis;                   /* axis of classes where there is one; below 0 counts from the end        */
    int32_t batched;                      /* 1: axis 0 counts samples; 0: an update is one sample                   */
    int32_t counts;                       /* IQA_COUNTS_...; multilabel always counts per class                     */
    int32_t out_of_range;                 /* IQA_OUT_OF_RANGE_...                                                   */
    int32_t ignore;                       /* 1: elements whose reference is `ignore_label` are dropped; the
                                             candidate's label there may be anything                                */
    int64_t ignore_label;                 /* any number, inside or outside 0 ... C - 1                              */
    double threshold;                     /* of IQA_LABELS_THRESHOLD, in the unit of the scores: 0.5 for
                                             probabilities, 0 for logits                                            */
    int32_t top_k;                        /* IQA_LABELS_ARGMAX: if the reference's class is among the k largest
                                             scores, the candidate's class is that one; else the largest's          */
    int32_t weighted;                     /* 1: every update has weights, see iqa_confusion_create()                */
    int32_t keep_samples;                 /* 1: also sum the scores of each sample, for IQA_OVER_SAMPLES and
                                             IQA_AVERAGE_PAIRS; takes 40 (7 C + 23) bytes                           */
    int32_t score;                        /* IQA_SCORE_...: what iqa_metric_compute() gives, and per_image and
                                             per_channel of an update                                               */
    const iqa_confusion_reading *reading; /* how they, and kept samples, are read; copied. NULL: the defaults       */
} iqa_confusion_options;

#define IQA_CONFUSION_OPTIONS_INIT                                                                                     \
    {                                                                                                                  \
        sizeof(iqa_confusion_options), 0, IQA_TASK_MULTICLASS, IQA_LABELS_INDEX, IQA_LABELS_INDEX, 1, 0,               \
            IQA_COUNTS_MATRIX, IQA_OUT_OF_RANGE_ERROR, 0, 0, 0.5, 1, 0, 0, IQA_SCORE_NONE, NULL                        \
    }

/** Writes the defaults. Rules and statuses: iqa_context_options_init(). */
IQA_API iqa_status iqa_confusion_options_init(iqa_confusion_options *options, size_t size);

/** Creates a confusion metric. An update compares the labels of `reference`, the truth, with those of `candidate`, the
 *  prediction. Both have the same shape, any number of axes and any strides, less the axis of classes of the one that
 *  has it; element types may differ. An update adds nothing unless all of it is valid.
 *
 *  Weights (extras.weights, the shape of the labels without an axis of classes; multilabel: with it) are 0 or from
 * 2^-76 to 2^64, in which range their sums are exact.
 *
 *  extras.per_image is `score` of each sample, extras.per_channel the score of each sample and class, extras.counts the
 *  counts behind them.
 *
 *  @param options  what is to be counted; not NULL, for the number of classes has no default.
 *  @param out      receives the handle, or NULL on failure.
 *  @return IQA_OK, IQA_ERROR_INVALID_ARGUMENT, IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_confusion_create(iqa_context *context, const iqa_confusion_options *options, iqa_metric **out);

/** Reads a score: any of them, in any way, any number of times, from the one set of counts.
 *
 *  @param score     IQA_SCORE_...
 *  @param reading   how; NULL for the defaults, which serve the scores without an average.
 *  @param out       receives 1 number, or C for IQA_AVERAGE_NONE; may be NULL to ask for the count.
 *  @param capacity  how many doubles `out` holds.
 *  @param count     receives how many there are; may be NULL.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, also for a metric of another kind; IQA_ERROR_NO_DATA before the first
 *          update; IQA_ERROR_BUFFER_SIZE; IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_confusion_score(const iqa_metric *metric, int32_t score, const iqa_confusion_reading *reading,
                                       double *out, size_t capacity, size_t *count);

/** Create, update once, compute `options->score`, destroy. Statuses: those of the four. */
IQA_API iqa_status iqa_measure_confusion(iqa_context *context, const iqa_confusion_options *options,
                                         const iqa_tensor *reference, const iqa_tensor *candidate, double *value);

/* ---- Options by name ----------------------------------------------------------------------------------------- */

/** What an option is. */
typedef enum iqa_option_type {
    IQA_OPTION_FLAG = 0,   /* int32_t, 0 or 1                                                                       */
    IQA_OPTION_INT32 = 1,  /* int32_t                                                                               */
    IQA_OPTION_INT64 = 2,  /* int64_t                                                                               */
    IQA_OPTION_UINT64 = 3, /* uint64_t                                                                              */
    IQA_OPTION_REAL = 4,   /* double                                                                                */
    IQA_OPTION_WORD = 5,   /* int32_t, one of the words' values                                                     */
    IQA_OPTION_CLASSES = 6 /* some of a confusion metric's classes; in the struct a pointer to a byte for each class */
} iqa_option_type;

/** A value that has a name. */
typedef struct iqa_option_word {
    const char *name;     /* in lower case with underscores, e.g. "bt601_full"                                      */
    const char *constant; /* as in this header, e.g. "IQA_LUMA_BT601_FULL"                                          */
    double value;
} iqa_option_word;

/** An option as the library itself knows it. Text and words are static. Struct sizes as of options: fields beyond
 *  `struct_size` are not written. */
typedef struct iqa_option_info {
    uint32_t struct_size;         /* sizeof(iqa_option_info) of the caller                                          */
    int32_t count;                /* how many options the kind has                                                  */
    const char *name;             /* of the field; "preset" stands for a choice of values for all fields            */
    const char *group;            /* of fields that are set together, such as "size" of size_z, size_y and size_x;
                                     "" without a group                                                             */
    const iqa_option_word *words; /* all values of a word; of a number those that have a meaning of their own       */
    int32_t word_count;           /*                                                                                */
    int32_t type;                 /* IQA_OPTION_...                                                                 */
    int32_t length;               /* how many numbers the field has: above 1 for an array                           */
    int32_t offset;               /* of the field in its struct, in bytes; -1 for the preset                        */
    double default_value;         /* of an array that of the first number, the others are 0; NaN for the preset     */
    double least;                 /* bounds of a value that is no word; infinite without a bound                    */
    double most;                  /*                                                                                */
    int32_t least_is_open;        /* 1: the bound itself is refused                                                 */
    int32_t most_is_open;         /*                                                                                */
    int32_t odd;                  /* 1: even numbers are refused                                                    */
    int32_t in_state;             /* 1: the bytes of iqa_metric_serialize() have it, and the fingerprint            */
    const char *since;            /* the version of the library that had it first, e.g. "0.1"                       */
    const char *help;             /* a sentence                                                                     */
} iqa_option_info;

#define IQA_OPTION_INFO_INIT                                                                                           \
    {                                                                                                                  \
        sizeof(iqa_option_info), 0, NULL, NULL, NULL, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0, 0, 0, 0, NULL, NULL                \
    }

/** The kinds of options, numbered from 0 without a gap: "ssim", "psnr", "errors", "fid", "kid", "prdc",
 *  "inception_score",
 *  "confusion", "confusion_reading" and "context"; NULL for any other number. Static storage. */
IQA_API const char *iqa_option_kind(int32_t number);

/** Describes an option, so that bindings, programs and their help need no list of their own. A bound that depends on
 *  another option (a `top_k` of at most `classes`) is not told.
 *
 *  @param kind   as iqa_option_kind() gives it.
 *  @param index  0 ... info->count - 1. Where a kind has a preset, that is the first; fields follow in the order of the
 *                state bytes.
 *  @param info   written; `struct_size` says how much of it the caller knows.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT for NULL, an unknown kind, index or size; iqa_context_error(NULL) has the
 *          text. */
IQA_API iqa_status iqa_option_describe(const char *kind, int32_t index, iqa_option_info *info);

/** Creates a metric from text, so that a binding needs no struct:
 *
 *    iqa_metric_create(ctx, "ssim", "preset=torchmetrics, layout=nchw, data_range=0:1, size=11", &metric);
 *
 *  `options` is a list of KEY=VALUE with commas between them. A key is the name of a field or of a group. A group takes
 *  one value for all of its fields, or one for each with colons between them, in the order depth, down, across; without
 *  the first ones these keep theirs. `data_range` is 0:L where it is one number. An array takes numbers with colons
 *  between them, and `scale_weights` says how many `scales` there are. A value is a word (upper and lower case are the
 *  same, and so are - and _) or a number with a decimal point, whatever the locale; flags are true or false, 1 or 0.
 *  `preset` comes first wherever it stands; "confusion" takes the keys of "confusion_reading" too, and `excluded` is a
 *  list of class numbers with colons between them. No key may stand twice. Blanks around keys and values do not matter.
 *
 *  @param kind     "ssim", "psnr", "errors", "fid" or "confusion".
 *  @param options  NULL or "" for the defaults.
 *  @param out      receives the handle, or NULL on failure.
 *  @return IQA_OK; IQA_ERROR_INVALID_ARGUMENT, and the text names kind, key, what it was and what was expected;
 *          IQA_ERROR_OUT_OF_MEMORY. */
IQA_API iqa_status iqa_metric_create(iqa_context *context, const char *kind, const char *options, iqa_metric **out);

#ifdef __cplusplus
}
#endif

#endif /* IQA_C_H */

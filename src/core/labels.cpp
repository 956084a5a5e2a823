// SPDX-License-Identifier: MIT
#include "core/labels.hpp"

#include <algorithm>
#include <utility>

namespace iqa {

namespace {

constexpr const char *side_names[sides] = {"reference", "candidate", "weights"};

bool is_integer(label_type type)
{
    switch (type) {
    case label_type::boolean:
    case label_type::uint8:
    case label_type::int8:
    case label_type::uint16:
    case label_type::int16:
    case label_type::uint32:
    case label_type::int32:
    case label_type::uint64:
    case label_type::int64:
        return true;
    default:
        return false;
    }
}

bool is_known(int32_t dtype)
{
    constexpr int32_t scores[] = {IQA_FLOAT16, IQA_BFLOAT16, IQA_FLOAT32, IQA_FLOAT64};
    return is_integer(static_cast<label_type>(dtype)) ||
           std::find(std::begin(scores), std::end(scores), dtype) != std::end(scores);
}

label_type type_of(const iqa_tensor &tensor, const char *name, label_kind kind)
{
    const int32_t dtype = dtype_of(tensor);
    const auto type = static_cast<label_type>(dtype);
    if (kind == label_kind::index && !is_integer(type))
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(tensor),
             " but the options say class indices; expected bool or an integer of 8 to 64 bits, or another IQA_LABELS_ "
             "constant for scores");
    if (!is_known(dtype))
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(tensor),
             "; expected bool, an integer of 8 to 64 bits, float16, bfloat16, float32 or float64");
    return type;
}

const std::byte *data_of(const iqa_tensor &tensor, const char *name, int64_t elements, int64_t size)
{
    if (elements == 0)
        return nullptr;
    if (tensor.data == nullptr)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is NULL");
    const std::byte *data = static_cast<const std::byte *>(tensor.data) + tensor.byte_offset;
    if (reinterpret_cast<uintptr_t>(data) % uintptr_t(size) != 0)
        fail(IQA_ERROR_INVALID_ARGUMENT, name, ".data is not aligned to its elements of ", size, " bytes");
    return data;
}

// The class axis, or -1 without one.
int class_axis_of(const iqa_tensor &tensor, const char *name, bool has_one, const label_shape &shape)
{
    if (!has_one)
        return -1;
    const int axis = shape.class_axis < 0 ? tensor.ndim + shape.class_axis : shape.class_axis;
    if (axis < (shape.batched ? 1 : 0) || axis >= tensor.ndim)
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), ", which has no axis of classes at ",
             shape.class_axis, shape.batched ? " behind the axis of samples" : "", "; set class_axis");
    if (tensor.shape[axis] != shape.classes)
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(tensor), " with ", tensor.shape[axis],
             " along its axis of classes, axis ", axis, "; expected ", shape.classes);
    return axis;
}

// A tensor's axes without the class axis.
struct position_axes {
    const iqa_tensor *tensor;
    int class_axis;

    int count() const { return tensor->ndim - (class_axis >= 0 ? 1 : 0); }
    int original(int axis) const { return class_axis >= 0 && axis >= class_axis ? axis + 1 : axis; }
    int64_t extent(int axis) const { return tensor->shape[original(axis)]; }
    int64_t stride(int axis) const { return stride_of(*tensor, original(axis)); }
};

void check_same_positions(const position_axes &reference, const position_axes &other, const char *name)
{
    bool same = reference.count() == other.count();
    for (int axis = 0; same && axis < reference.count(); ++axis)
        same = reference.extent(axis) == other.extent(axis);
    if (!same)
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(*other.tensor),
             other.class_axis >= 0 ? " with its axis of classes" : "", " but reference has ",
             shape_text(*reference.tensor), reference.class_axis >= 0 ? " with its axis of classes" : "",
             "; the other axes must be equal");
}

} // namespace

int64_t position_space::count() const
{
    int64_t count = 1;
    for (int i = 0; i < axes; ++i)
        count *= axis[i].extent;
    return count;
}

position_space in_order_of_memory(const position_space &space)
{
    const auto distance = [](const position_axis &axis) {
        const int64_t stride = axis.stride[reference_side];
        return stride < 0 ? -stride : stride;
    };
    position_space sorted; // by insertion: axes are few, and those of equal stride keep their order
    for (int i = 0; i < space.axes; ++i) {
        if (space.axis[i].extent == 1)
            continue;
        int slot = sorted.axes;
        sorted.push(space.axis[i]);
        for (; slot > 0 && distance(sorted.axis[slot - 1]) < distance(sorted.axis[slot]); --slot)
            std::swap(sorted.axis[slot - 1], sorted.axis[slot]);
    }
    return sorted;
}

position_space merge_axes(const position_space &space, int count)
{
    position_space merged;
    for (int i = 0; i < space.axes; ++i) {
        const position_axis &next = space.axis[i];
        bool continues = merged.axes > 0;
        for (int k = 0; continues && k < count; ++k)
            continues = merged.axis[merged.axes - 1].stride[k] == next.stride[k] * next.extent;
        if (continues) {
            position_axis &outer = merged.axis[merged.axes - 1];
            outer.extent *= next.extent;
            std::copy_n(next.stride, int(strides), outer.stride);
        } else {
            merged.push(next);
        }
    }
    return merged;
}

label_pair view_labels(const iqa_tensor *reference, const iqa_tensor *candidate, const iqa_tensor *weights,
                       const label_shape &shape)
{
    const iqa_tensor *tensors[sides] = {reference, candidate, weights};
    label_pair pair;
    position_axes axes[sides] = {};
    for (int side = 0; side < sides; ++side) {
        if (tensors[side] == nullptr)
            continue;
        const iqa_tensor &tensor = *tensors[side];
        const char *name = side_names[side];
        check_extents(tensor, name);
        if (tensor.device_type != reference->device_type || tensor.device_id != reference->device_id)
            fail(IQA_ERROR_DEVICE, name, " is on device ", tensor.device_type, ":", tensor.device_id,
                 " but reference is on ", reference->device_type, ":", reference->device_id);
        int64_t elements = 1;
        for (int axis = 0; axis < tensor.ndim; ++axis)
            elements *= tensor.shape[axis];
        const bool is_weight = side == weight_side;
        const label_kind kind = is_weight ? label_kind::index : shape.kind[side];
        const int class_axis = class_axis_of(tensor, name, shape.multilabel || has_class_axis(kind), shape);
        axes[side] = {&tensor, class_axis};
        check_same_positions(axes[reference_side], axes[side], name);
        const int64_t class_stride = class_axis >= 0 ? stride_of(tensor, class_axis) : 0;
        if (is_weight) {
            const int32_t dtype = dtype_of(tensor);
            if (dtype != IQA_FLOAT32 && dtype != IQA_FLOAT64)
                fail(IQA_ERROR_DTYPE, "weights has element type ", dtype_text(tensor), "; expected float32 or float64");
            pair.weight_type = static_cast<label_type>(dtype);
            pair.weights = data_of(tensor, name, elements, label_size(pair.weight_type));
            pair.weight_class_stride = class_stride;
        } else {
            const label_type type = type_of(tensor, name, kind);
            pair.labels[side] = {data_of(tensor, name, elements, label_size(type)), type, kind, class_stride};
        }
    }

    const int count = axes[reference_side].count();
    if (shape.batched && count == 0)
        fail(IQA_ERROR_SHAPE, "reference has shape ", shape_text(*reference), "; `batched` needs an axis of samples");
    const position_axis of_classes{
        shape.classes, {pair.labels[0].class_stride, pair.labels[1].class_stride, pair.weight_class_stride, 1}};
    for (int axis = 0; axis < count; ++axis) {
        position_axis next{axes[reference_side].extent(axis), {}};
        for (int side = 0; side < sides; ++side)
            next.stride[side] = tensors[side] != nullptr ? axes[side].stride(axis) : 0;
        if (shape.multilabel && axis == axes[reference_side].class_axis)
            pair.positions.push(of_classes);
        if (shape.batched && axis == 0) {
            pair.samples = next.extent;
            pair.batched = true;
            std::copy_n(next.stride, int(sides), pair.sample_stride);
        }
        pair.positions.push(next);
    }
    if (shape.multilabel && axes[reference_side].class_axis == count)
        pair.positions.push(of_classes);
    int64_t positions = 1;
    for (int axis = pair.positions.axes - 1; axis >= 0; --axis) {
        pair.positions.axis[axis].stride[caller_position] = positions;
        positions *= pair.positions.axis[axis].extent;
    }
    return pair;
}

text position_text(const position_space &space, int64_t position)
{
    int64_t index[most_label_axes];
    for (int i = space.axes - 1; i >= 0; --i) {
        index[i] = position % space.axis[i].extent;
        position /= space.axis[i].extent;
    }
    text out;
    out << "[";
    for (int i = 0; i < space.axes; ++i)
        out << (i == 0 ? "" : ", ") << index[i];
    return out << "]";
}

int64_t offset_of(const position_space &space, int64_t position, int side)
{
    int64_t offset = 0;
    for (int i = space.axes - 1; i >= 0; --i) {
        offset += position % space.axis[i].extent * space.axis[i].stride[side];
        position /= space.axis[i].extent;
    }
    return offset;
}

number_view view_numbers(const iqa_tensor *tensor, const char *name, bool integers, const int64_t *extents, int axes,
                         const iqa_tensor &labels)
{
    number_view view;
    if (tensor == nullptr)
        return view;
    check_extents(*tensor, name);
    if (tensor->device_type != labels.device_type || tensor->device_id != labels.device_id)
        fail(IQA_ERROR_DEVICE, name, " is on device ", tensor->device_type, ":", tensor->device_id,
             " but reference is on ", labels.device_type, ":", labels.device_id);
    if (dtype_of(*tensor) != (integers ? IQA_INT64 : IQA_FLOAT64))
        fail(IQA_ERROR_DTYPE, name, " has element type ", dtype_text(*tensor), "; expected ",
             integers ? "int64" : "float64");
    iqa_tensor expected = *tensor;
    expected.ndim = axes;
    expected.shape = extents;
    if (!same_shape(*tensor, expected))
        fail(IQA_ERROR_SHAPE, name, " has shape ", shape_text(*tensor), "; expected ", shape_text(expected));
    int64_t elements = 1;
    for (int axis = 0; axis < axes; ++axis) {
        view.stride[axis] = stride_of(*tensor, axis);
        elements *= extents[axis];
    }
    view.data = const_cast<std::byte *>(data_of(*tensor, name, elements, int64_t(sizeof(double))));
    view.integers = integers;
    return view;
}

} // namespace iqa

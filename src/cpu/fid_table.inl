// SPDX-License-Identifier: MIT
// The kernels of this instruction set, under the name that its file gave in IQA_FID_NAME.

const fid_kernels fid = {
    .name = IQA_FID_NAME,
    .pack_panel = pack_panel,
    .multiply_panels = multiply_panels,
    .add_products = add_products,
    .tile_rows = tile_rows,
    .tile_columns = tile_columns,
    .multiply_tile = multiply_tile,
    .subtract_combination = subtract_combination,
    .dot = dot,
    .dot_pair = dot_pair,
    .add_pair = add_pair,
    .bisect = bisect,
};

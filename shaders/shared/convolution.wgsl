// Parameters and bindings of the convolution products. The convolution maps the big image [N, C, H, W] to the small one
// [N, O, h, w] with weights [O, C, kh, kw]:
//   small[n, o, y, x] = Σ big[n, c, y·stride − padding + i, x·stride − padding + j]·weight[o, c, i, j]

struct Params {
  batch: i32,
  channels: i32, height: i32, width: i32,                // C, H, W
  outputs: i32, small_height: i32, small_width: i32,     // O, h, w
  kernel_height: i32, kernel_width: i32, stride: i32, padding: i32,
  tile_rows: u32, tile_columns: u32, problems: u32, parts: u32, steps: u32, elements: u32, biased: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

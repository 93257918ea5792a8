// Puzzle 13: weight gradient of a convolution.
//
// dw[o, c, i, j] = Σ over n, p, q of dy[n, o, p, q] · x[n, c, p·stride + i − padding, q·stride + j − padding], where x is zero
// outside the image. One invocation per weight. The three loops and their sum are missing.
//
// x        [N, C, H, W]
// dy       [N, O, P, Q]
// dw       [O, C, kernel, kernel]
//
// In the engine: shaders/convolution_weight_gradient.wgsl. There the sum over all pixels of the batch is divided into parts, and
// shaders/sum_parts.wgsl adds them in a fixed order.

struct Params {
  batch: u32, channels: u32, height: u32, width: u32,           // N, C, H, W
  outputs: u32, kernel: u32, stride: u32, padding: u32,         // O, the kernel is square
  out_height: u32, out_width: u32,                              // P, Q
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// x[n, c, row, column], or zero outside the image.
fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (u32(row) >= params.height || u32(column) >= params.width) { return 0.0; }
  let plane = i32((n * params.channels + c) * params.height * params.width);
  return x[plane + row * i32(params.width) + column];
}

@compute @workgroup_size(64)
fn weight_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let index = w.x * 64u + local;
  if (index >= params.outputs * params.channels * params.kernel * params.kernel) { return; }
  let j = index % params.kernel;
  let i = index / params.kernel % params.kernel;
  let c = index / (params.kernel * params.kernel) % params.channels;
  let o = index / (params.kernel * params.kernel * params.channels);
  var sum = 0.0;
  // Your code.
  dw[index] = sum;
}

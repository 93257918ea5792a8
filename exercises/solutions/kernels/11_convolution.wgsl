// A column outside the image is no element outside the buffer: it is a pixel of the row before or after.

struct Params {
  batch: u32, channels: u32, height: u32, width: u32,           // N, C, H, W
  outputs: u32, kernel: u32, stride: u32, padding: u32,         // O, the kernel is square
  out_height: u32, out_width: u32,                              // P, Q
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// x[n, c, row, column], or zero outside the image.
fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (u32(row) >= params.height || u32(column) >= params.width) { return 0.0; }
  let plane = i32((n * params.channels + c) * params.height * params.width);
  return x[plane + row * i32(params.width) + column];
}

@compute @workgroup_size(64)
fn convolution(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let index = w.x * 64u + local;
  if (index >= params.batch * params.outputs * params.out_height * params.out_width) { return; }
  let q = index % params.out_width;
  let p = index / params.out_width % params.out_height;
  let o = index / (params.out_width * params.out_height) % params.outputs;
  let n = index / (params.out_width * params.out_height * params.outputs);
  var sum = 0.0;
  for (var c = 0u; c < params.channels; c++) {
    for (var i = 0u; i < params.kernel; i++) {
      for (var j = 0u; j < params.kernel; j++) {
        let row = i32(p * params.stride + i) - i32(params.padding);
        let column = i32(q * params.stride + j) - i32(params.padding);
        sum += weight[((o * params.channels + c) * params.kernel + i) * params.kernel + j] * x_at(n, c, row, column);
      }
    }
  }
  y[index] = sum;
}

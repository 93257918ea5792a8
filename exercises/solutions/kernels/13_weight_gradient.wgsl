// Few weights and many pixels: here a sum per invocation leaves most of a GPU idle, which is why the engine divides it.

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
  for (var n = 0u; n < params.batch; n++) {
    for (var p = 0u; p < params.out_height; p++) {
      for (var q = 0u; q < params.out_width; q++) {
        let row = i32(p * params.stride + i) - i32(params.padding);
        let column = i32(q * params.stride + j) - i32(params.padding);
        let at = ((n * params.outputs + o) * params.out_height + p) * params.out_width + q;
        sum += dy[at] * x_at(n, c, row, column);
      }
    }
  }
  dw[index] = sum;
}

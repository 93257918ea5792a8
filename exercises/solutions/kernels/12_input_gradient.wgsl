// The engine asks no such question: pixels with the same remainders modulo the stride use the same taps, and are a problem of
// their own.

struct Params {
  batch: u32, channels: u32, height: u32, width: u32,           // N, C, H, W
  outputs: u32, kernel: u32, stride: u32, padding: u32,         // O, the kernel is square
  out_height: u32, out_width: u32,                              // P, Q
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn input_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let index = w.x * 64u + local;
  if (index >= params.batch * params.channels * params.height * params.width) { return; }
  let column = index % params.width;
  let row = index / params.width % params.height;
  let c = index / (params.width * params.height) % params.channels;
  let n = index / (params.width * params.height * params.channels);
  var sum = 0.0;
  for (var o = 0u; o < params.outputs; o++) {
    for (var i = 0u; i < params.kernel; i++) {
      for (var j = 0u; j < params.kernel; j++) {
        // Negative differences become large numbers, and their quotients lie beyond the last pixel.
        let down = row + params.padding - i;
        let right = column + params.padding - j;
        let p = down / params.stride;
        let q = right / params.stride;
        let hit = p * params.stride == down && q * params.stride == right;
        if (hit && p < params.out_height && q < params.out_width) {
          let at = ((n * params.outputs + o) * params.out_height + p) * params.out_width + q;
          sum += weight[((o * params.channels + c) * params.kernel + i) * params.kernel + j] * dy[at];
        }
      }
    }
  }
  dx[index] = sum;
}

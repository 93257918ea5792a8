// Puzzle 12: input gradient of a convolution.
//
// Each element of y that used x[n, c, row, column] hands its gradient back, times the weight it was used with:
//
// dx[n, c, row, column] = Σ over o, i, j of weight[o, c, i, j] · dy[n, o, p, q] with
// p·stride + i − padding = row and q·stride + j − padding = column
//
// for those i and j for which such p and q exist: row + padding − i must be a multiple of the stride, not negative, and its
// quotient p less than P; likewise q. One invocation per element of dx.
//
// dy       [N, O, P, Q]
// weight   [O, C, kernel, kernel]
// dx       [N, C, H, W]
//
// In the engine: shaders/convolution_input_gradient.wgsl, which is also the transposed convolution.

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
        // Your code.
      }
    }
  }
  dx[index] = sum;
}

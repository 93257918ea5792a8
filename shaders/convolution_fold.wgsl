// big[n, c, Y, X] = bias[c] + Σ taps[(c, i, j), (n, y, x)] over all i, j, y, x with y·stride − padding + i = Y and the
// same across, one invocation per element of the big image. Expects WORKGROUP, shared/element.wgsl and
// shared/divide.wgsl.

struct Params {
  elements: u32, channels: i32, height: i32, width: i32, small_height: i32, small_width: i32,
  kernel_height: i32, kernel_width: i32, stride: i32, padding: i32,
  columns: i32,       // of taps: the small pixels of the batch
  biased: u32,
}

@group(0) @binding(0) var<storage, read> taps: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> big: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn fold(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
        @builtin(local_invocation_index) l: u32) {
  let index = element(w, n, l);
  if (index >= params.elements) { return; }
  let row = divide(i32(index), params.width, 1.0 / f32(params.width));
  let plane = divide(row.quotient, params.height, 1.0 / f32(params.height));
  let image = divide(plane.quotient, params.channels, 1.0 / f32(params.channels));
  let inverse = 1.0 / f32(params.stride);
  let down = divide(plane.remainder + params.padding, params.stride, inverse);
  let across = divide(row.remainder + params.padding, params.stride, inverse);

  // The last small pixel that may reach the big pixel uses the tap at the remainder. Each earlier small pixel uses a
  // tap one stride further on.
  let small = params.small_height * params.small_width;
  let first = image.remainder * params.kernel_height * params.kernel_width;
  var sum = 0.0;
  if (params.biased != 0u) { sum = bias[image.remainder]; }
  var y = down.quotient;
  for (var i = down.remainder; i < params.kernel_height; i += params.stride) {
    var x = across.quotient;
    for (var j = across.remainder; j < params.kernel_width; j += params.stride) {
      if (y >= 0 && y < params.small_height && x >= 0 && x < params.small_width) {
        let tap = first + i * params.kernel_width + j;
        sum += taps[tap * params.columns + image.quotient * small + y * params.small_width + x];
      }
      x--;
    }
    y--;
  }
  big[index] = sum;
}

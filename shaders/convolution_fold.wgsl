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
  let row = divide(i32(index), params.width);
  let plane = divide(row.quotient, params.height);
  let image = divide(plane.quotient, params.channels);
  let down = divide(plane.remainder + params.padding, params.stride);
  let across = divide(row.remainder + params.padding, params.stride);

  // The last small pixel that may reach the big pixel uses the tap at the remainder. Each earlier small pixel uses a
  // tap one stride further on. The loops begin at the last of these within the small image.
  let small = params.small_height * params.small_width;
  let tap = image.remainder * params.kernel_height * params.kernel_width;
  let bottom = min(down.quotient, params.small_height - 1);
  let right = min(across.quotient, params.small_width - 1);
  var sum = 0.0;
  if (params.biased != 0u) { sum = bias[image.remainder]; }
  var i = down.remainder + (down.quotient - bottom) * params.stride;
  for (var y = bottom; y >= 0 && i < params.kernel_height; y--) {
    var j = across.remainder + (across.quotient - right) * params.stride;
    for (var x = right; x >= 0 && j < params.kernel_width; x--) {
      let row = tap + i * params.kernel_width + j;
      sum += taps[row * params.columns + image.quotient * small + y * params.small_width + x];
      j += params.stride;
    }
    i += params.stride;
  }
  big[index] = sum;
}

// Puzzle 6: reduction.
//
// y[r] = Σₖ x[r, k]: one workgroup per row. Each invocation has added up every 64th element of the row. Add the 64 sums: halve
// their number in each turn of a loop, with the sums in workgroup memory. Remember the barrier.
//
// x                [rows, columns]
// y                [rows]
// params.columns   any number
//
// In the engine: sum_pixels in shaders/shared/channel_sums.wgsl.

struct Params { columns: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn reduction(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = w.x;
  var sum = 0.0;
  for (var k = local; k < params.columns; k += 64u) { sum += x[row * params.columns + k]; }
  sums[local] = sum;
  // Your code: make sums[0] the sum of all 64.
  if (local == 0u) { y[row] = sums[0]; }
}

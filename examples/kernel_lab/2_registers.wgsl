// Step 2: one invocation per tile of 8 × 8 elements, in registers.
//
// The invocation reuses its loads. Eight elements of A and eight of B give 64 multiply-adds, so a multiply-add needs a
// quarter of a load instead of two. The loops over the tile have constant bounds, and the compiler unrolls them, so
// `sums` stays in registers. The columns of an invocation are a workgroup's width apart, so neighbouring invocations
// still load neighbouring elements.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const SIDE = 8u;
const WIDTH = 8u;      // invocations per workgroup

@compute @workgroup_size(WIDTH)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let across = params.columns / (SIDE * WIDTH);
  let m = group.x / across * SIDE;
  let n = group.x % across * SIDE * WIDTH + local;
  var sums: array<array<f32, SIDE>, SIDE>;
  for (var k = 0u; k < params.steps; k++) {
    var bs: array<f32, SIDE>;
    for (var j = 0u; j < SIDE; j++) { bs[j] = b[k * params.columns + n + j * WIDTH]; }
    for (var i = 0u; i < SIDE; i++) {
      let value = a[(m + i) * params.steps + k];
      for (var j = 0u; j < SIDE; j++) { sums[i][j] = fma(value, bs[j], sums[i][j]); }
    }
  }
  for (var i = 0u; i < SIDE; i++) {
    for (var j = 0u; j < SIDE; j++) { c[(m + i) * params.columns + n + j * WIDTH] = sums[i][j]; }
  }
}

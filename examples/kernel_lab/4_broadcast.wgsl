// Step 4: the lanes of a subgroup share their loads of A, without workgroup memory.
//
// In step 2, all lanes load the same eight elements of A. Here lane l loads step k + l of the inner axis, and a
// subgroupShuffle broadcasts the element to all lanes in that step. A row of A then needs one load per lane for as many
// steps as the subgroup has lanes. On a software adapter a subgroupShuffle costs as much as four multiply-adds, and a
// load as much as 67. No barrier is needed, because the lanes exchange registers and not memory. Loops marked with
// `unroll` are written out before the driver sees them, so that every driver keeps `sums` in registers.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const ROWS = 32u;
const VECTORS = 4u;    // columns per lane, a subgroup's width apart

@compute @workgroup_size(SUBGROUP)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let across = params.columns / (VECTORS * SUBGROUP);
  let m = group.x / across * ROWS;
  let n = group.x % across * VECTORS * SUBGROUP + lane;
  var sums: array<array<f32, VECTORS>, ROWS>;
  for (var k = 0u; k < params.steps; k += SUBGROUP) {
    var as_: array<f32, ROWS>;
    for (var i = 0u; i < ROWS; i++) { // unroll
      as_[i] = a[(m + i) * params.steps + k + lane];
    }
    for (var step = 0u; step < SUBGROUP; step++) {
      var bs: array<f32, VECTORS>;
      for (var j = 0u; j < VECTORS; j++) { // unroll
        bs[j] = b[(k + step) * params.columns + n + j * SUBGROUP];
      }
      for (var i = 0u; i < ROWS; i++) { // unroll
        let value = subgroupShuffle(as_[i], step);
        for (var j = 0u; j < VECTORS; j++) { // unroll
          sums[i][j] = fma(value, bs[j], sums[i][j]);
        }
      }
    }
  }
  for (var i = 0u; i < ROWS; i++) { // unroll
    for (var j = 0u; j < VECTORS; j++) { // unroll
      c[(m + i) * params.columns + n + j * SUBGROUP] = sums[i][j];
    }
  }
}

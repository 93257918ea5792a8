// Step 3: one workgroup of 64 invocations per tile of 64 × 64 elements, through workgroup memory.
//
// In step 2, neighbouring invocations load the same elements. Here the workgroup loads each element once into workgroup
// memory, and all its invocations read it there. One load from storage per 32 multiply-adds is left. Two barriers per
// block of 16 steps separate writes from reads. This is the classical kernel for a GPU, where workgroup memory is on
// the chip. A software adapter has no such memory: there, workgroup memory is an array in the same cache, and every
// barrier suspends and resumes all 64 invocations. On such an adapter this step is slower than step 2.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const TILE = 64u;
const DEPTH = 16u;
const SIDE = 8u;

var<workgroup> a_tile: array<array<f32, TILE>, DEPTH>;
var<workgroup> b_tile: array<array<f32, TILE>, DEPTH>;

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let across = params.columns / TILE;
  let m = group.x / across * TILE;
  let n = group.x % across * TILE;
  let row = local / SIDE;
  let column = local % SIDE;
  var sums: array<array<f32, SIDE>, SIDE>;
  for (var k = 0u; k < params.steps; k += DEPTH) {
    workgroupBarrier();
    for (var i = local; i < TILE * DEPTH; i += 64u) {
      a_tile[i % DEPTH][i / DEPTH] = a[(m + i / DEPTH) * params.steps + k + i % DEPTH];
      b_tile[i / TILE][i % TILE] = b[(k + i / TILE) * params.columns + n + i % TILE];
    }
    workgroupBarrier();
    for (var step = 0u; step < DEPTH; step++) {
      var bs: array<f32, SIDE>;
      for (var j = 0u; j < SIDE; j++) { bs[j] = b_tile[step][column + SIDE * j]; }
      for (var i = 0u; i < SIDE; i++) {
        let value = a_tile[step][row + SIDE * i];
        for (var j = 0u; j < SIDE; j++) { sums[i][j] = fma(value, bs[j], sums[i][j]); }
      }
    }
  }
  for (var i = 0u; i < SIDE; i++) {
    for (var j = 0u; j < SIDE; j++) { c[(m + row + SIDE * i) * params.columns + n + column + SIDE * j] = sums[i][j]; }
  }
}

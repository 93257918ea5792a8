// Step 3: a workgroup of 64 shares a tile of 64 × 64 through workgroup memory.
//
// The invocations of step 2 load the same elements as their neighbours. Here they load each once, together, into memory
// that they share, and read it from there: only one load from storage for 32 multiply-adds is left. Two barriers a block
// keep readers and writers apart. This is the classical kernel, and the one to have on a GPU, where workgroup memory is
// on the chip. A software adapter has no such memory: there it is one more array in the same cache, and every barrier
// stops and resumes all 64 invocations, so that the step is one backwards.

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

// Step 5: a first kernel packs A, four rows to a vector, and the tile grows to 64 rows × 4 columns per lane.
//
// On a software adapter the load of a vec4 costs as much as 150 multiply-adds, and four single loads as much as 268.
// The rows of A are far apart in memory, so a first kernel packs them into panels, in which the 64 rows of one step are
// adjacent. A subgroup of 8 lanes then loads these rows with two loads per lane instead of eight. The 256 sums per lane
// no longer fit into registers, and the compiler keeps them in the L1 cache. So two steps of the inner axis are added
// to a sum while it is in a register. Loops marked with `unroll` are written out before the driver sees them: how large
// a loop each driver unrolls is its secret, and a local array whose indices are no constants lies in memory, lane by
// lane. The stores are a loop that moves all sums through the first place, because compilers are slow on unrolled
// stores. shaders/shared/product_subgroup.wgsl is this kernel for any shape and for convolutions.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> packed: array<f32>;
@group(0) @binding(5) var<storage, read> panels: array<vec4<f32>>;

const QUADS = 16u;                                   // of rows
const ROWS = 4u * QUADS;
const VECTORS = 4u;
const LOADS = (QUADS + SUBGROUP - 1u) / SUBGROUP;
const DEPTH = 2u;                                    // steps at a time

// Packs A. One invocation packs the rows of one panel for one step.
@compute @workgroup_size(64)
fn pack(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = group.x * 64u + local;
  let m = i / params.steps * ROWS;
  let k = i % params.steps;
  for (var row = 0u; row < ROWS; row++) { packed[i * ROWS + row] = a[(m + row) * params.steps + k]; }
}

@compute @workgroup_size(SUBGROUP)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let across = params.columns / (VECTORS * SUBGROUP);
  let m = group.x / across * ROWS;
  let n = group.x % across * VECTORS * SUBGROUP + lane;
  var at = m / 4u * params.steps + min(lane, QUADS - 1u);
  var sums: array<array<vec4<f32>, VECTORS>, QUADS>;
  for (var k = 0u; k < params.steps; k += DEPTH) {
    var as_: array<array<vec4<f32>, LOADS>, DEPTH>;
    var bs: array<array<f32, VECTORS>, DEPTH>;
    for (var d = 0u; d < DEPTH; d++) { // unroll
      for (var l = 0u; l < LOADS; l++) { as_[d][l] = panels[at + l * SUBGROUP]; }
      at += QUADS;
      for (var j = 0u; j < VECTORS; j++) { // unroll
        bs[d][j] = b[(k + d) * params.columns + n + j * SUBGROUP];
      }
    }
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
      var rows: array<vec4<f32>, DEPTH>;
      for (var d = 0u; d < DEPTH; d++) { // unroll
        rows[d] = subgroupBroadcast(as_[d][quad / SUBGROUP], quad % SUBGROUP);
      }
      for (var j = 0u; j < VECTORS; j++) { // unroll
        for (var d = 0u; d < DEPTH; d++) { // unroll
          sums[quad][j] = fma(rows[d], vec4<f32>(bs[d][j]), sums[quad][j]);
        }
      }
    }
  }
  for (var quad = 0u; quad < QUADS; quad++) {
    for (var i = 0u; i < 4u; i++) { // unroll
      for (var j = 0u; j < VECTORS; j++) { // unroll
        c[(m + 4u * quad + i) * params.columns + n + j * SUBGROUP] = sums[0][j][i];
      }
    }
    for (var next = 0u; next < QUADS; next++) { // unroll
      sums[next] = sums[(next + 1u) % QUADS];
    }
  }
}

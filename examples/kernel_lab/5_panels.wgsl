// Step 5: a first kernel packs A, and the tile grows to 64 rows × 8 columns per lane.
//
// On a software adapter the load of a vec4 costs as much as 150 multiply-adds, and four single loads as much as 268.
// The rows of A are far apart in memory, so a first kernel packs them into panels, in which the 64 rows of one step are
// adjacent. A subgroup of 8 lanes then loads these rows with two loads per lane instead of eight. The larger tile
// halves the loads of B per multiply-add. Its 512 sums per lane no longer fit into registers, and the compiler keeps
// them in memory. They still fit into the L1 cache; a larger tile would not. The stores are a loop that rotates the
// sums through the first group, because compilers are slow on unrolled stores: with unrolled stores, compilation takes
// ten times as long. shaders/shared/product_subgroup.wgsl is this kernel for any shape and for convolutions.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> packed: array<f32>;
@group(0) @binding(5) var<storage, read> panels: array<vec4<f32>>;

const ROWS = 64u;
const VECTORS = 8u;
const BLOCK = 4u * SUBGROUP;                         // rows per load of the subgroup
const LOADS = (ROWS + BLOCK - 1u) / BLOCK;
const GROUP = 2u;                                    // rows written at a time
const GROUPS = ROWS / GROUP;

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
  var at = m * params.steps / 4u + min(lane, ROWS / 4u - 1u);
  var sums: array<array<array<f32, VECTORS>, GROUP>, GROUPS>;
  for (var k = 0u; k < params.steps; k++) {
    var as_: array<vec4<f32>, LOADS>;
    for (var l = 0u; l < LOADS; l++) { as_[l] = panels[at + l * SUBGROUP]; }
    at += ROWS / 4u;
    var bs: array<f32, VECTORS>;
    for (var j = 0u; j < VECTORS; j++) { bs[j] = b[k * params.columns + n + j * SUBGROUP]; }
    for (var g = 0u; g < GROUPS; g++) {
      for (var i = 0u; i < GROUP; i++) {
        let row = g * GROUP + i;
        let value = subgroupShuffle(as_[row / BLOCK][row % 4u], row % BLOCK / 4u);
        for (var j = 0u; j < VECTORS; j++) { sums[g][i][j] = fma(value, bs[j], sums[g][i][j]); }
      }
    }
  }
  for (var g = 0u; g < GROUPS; g++) {
    for (var i = 0u; i < GROUP; i++) {
      for (var j = 0u; j < VECTORS; j++) { c[(m + g * GROUP + i) * params.columns + n + j * SUBGROUP] = sums[0][i][j]; }
    }
    for (var next = 0u; next < GROUPS; next++) { sums[next] = sums[(next + 1u) % GROUPS]; }
  }
}

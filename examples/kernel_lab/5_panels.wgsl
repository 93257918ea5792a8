// Step 5: A is packed first, and the tile grows to 64 rows × 8 vectors.
//
// A vector of four costs a software adapter 150 multiply-adds to load, four single loads 268. Rows of A lie far apart,
// so a first kernel packs them into panels in which the 64 rows of one step are side by side: two loads of the whole
// subgroup then bring all of them, in place of eight. The larger tile halves the loads of B. Its 512 sums a lane no
// longer fit into registers: they live in the first cache, which the compiler arranges by itself, and which is why the
// tile does not grow further. The sums are written by a loop that moves them through the first group, because unrolled
// stores are what a compiler takes longest for: written out, this kernel takes ten times as long to compile.
// shaders/shared/product_subgroup.wgsl is this kernel, for any shape, and for convolutions.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> packed: array<f32>;
@group(0) @binding(5) var<storage, read> panels: array<vec4<f32>>;

const ROWS = 64u;
const VECTORS = 8u;
const BLOCK = 4u * SUBGROUP;                         // rows that one load of the subgroup brings
const LOADS = (ROWS + BLOCK - 1u) / BLOCK;
const GROUP = 2u;                                    // rows that are written at a time
const GROUPS = ROWS / GROUP;

// One invocation packs the rows of one step of one panel.
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

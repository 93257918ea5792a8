// The tiled product for software adapters: one subgroup computes ROWS rows × VECTORS·SUBGROUP columns in registers. On
// software adapters a load costs as much as dozens of multiply-adds, at any address. A is therefore packed (see
// product_pack): a lane loads four rows at once, and subgroup shuffles broadcast each row to all lanes. Workgroup
// memory and barriers would cost more than they save.
// Expects ROWS, VECTORS, SUBGROUP, shared/grid.wgsl and shared/product.wgsl.

// Rows that the subgroup reads with one load per lane.
const BLOCK = 4u * SUBGROUP;
const LOADS = (ROWS + BLOCK - 1u) / BLOCK;
// Rows that the unrolled store code below writes at once.
const GROUP = min(ROWS, max(16u / VECTORS, 1u));
const GROUPS = ROWS / GROUP;

@group(0) @binding(5) var<storage, read> panels: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP)
fn product_subgroup(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                    @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(linear_workgroup(w, groups), ROWS, VECTORS * SUBGROUP);
  if (tile.z >= params.problems * params.parts) { return; }
  let p = problem(tile.z / params.parts);
  let part = part_of(p, tile.z);
  if (tile.row >= p.rows || tile.column >= p.columns) { return; }

  var columns: array<Column, VECTORS>;
  for (var j = 0u; j < VECTORS; j++) {
    columns[j] = column_at(p, tile.column + i32(j * SUBGROUP + lane));
  }
  let panel = (tile.z * params.tile_rows + u32(tile.row) / ROWS) * params.steps;
  var at = panel * (ROWS / 4u) + min(lane, ROWS / 4u - 1u);

  var sums: array<array<array<f32, VECTORS>, GROUP>, GROUPS>;
  for (var k = part.first; k < part.last; k += i32(SUBGROUP)) {
    let mine = slice_at(p, part, k + i32(lane));
    for (var step = 0u; step < SUBGROUP; step++) {
      let s = subgroupShuffle(mine, step);
      var bs: array<f32, VECTORS>;
      for (var j = 0u; j < VECTORS; j++) { bs[j] = b_at(p, s, columns[j]); }
      var as_: array<vec4<f32>, LOADS>;
      for (var l = 0u; l < LOADS; l++) { as_[l] = panels[at + l * SUBGROUP]; }
      at += ROWS / 4u;
      for (var g = 0u; g < GROUPS; g++) {
        for (var i = 0u; i < GROUP; i++) {
          let row = g * GROUP + i;
          let value = subgroupShuffle(as_[row / BLOCK][row % 4u], row % BLOCK / 4u);
          for (var j = 0u; j < VECTORS; j++) { sums[g][i][j] = fma(value, bs[j], sums[g][i][j]); }
        }
      }
    }
  }

  // The groups of sums rotate through the first group, so that the store code, slow to compile, exists only once.
  let used = min(GROUPS, (u32(p.rows - tile.row) + GROUP - 1u) / GROUP);
  for (var g = 0u; g < used; g++) {
    for (var i = 0u; i < GROUP; i++) {
      let row = tile.row + i32(g * GROUP + i);
      let start = bias_at(p, part, row);
      for (var j = 0u; j < VECTORS; j++) { c_set(p, part, row, columns[j], start + sums[0][i][j]); }
    }
    for (var next = 0u; next < GROUPS; next++) { sums[next] = sums[(next + 1u) % GROUPS]; }
  }
}

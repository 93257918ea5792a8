// The tiled product for software adapters: one subgroup computes ROWS rows × VECTORS·SUBGROUP columns in registers.
// A lane loads one element of A for SUBGROUP steps of the long axis, and the subgroup hands each round, so that a row
// costs one load instead of SUBGROUP. No workgroup memory, no barrier: both cost more there than they save.
// Expects ROWS, VECTORS, SUBGROUP, shared/grid.wgsl and shared/product.wgsl.

@compute @workgroup_size(SUBGROUP)
fn product_subgroup(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                    @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(linear_workgroup(w, groups), ROWS, VECTORS * SUBGROUP);
  if (tile.z >= params.problems) { return; }
  let p = problem(tile.z);
  if (tile.row >= p.rows || tile.column >= p.columns) { return; }

  var columns: array<Column, VECTORS>;
  for (var j = 0u; j < VECTORS; j++) {
    columns[j] = column_at(p, tile.column + i32(j * SUBGROUP + lane));
  }
  var sums: array<array<f32, VECTORS>, ROWS>;
  for (var k = p.first; k < p.last; k += i32(SUBGROUP)) {
    let mine = slice_at(p, k + i32(lane));
    var as_: array<f32, ROWS>;
    for (var i = 0u; i < ROWS; i++) { as_[i] = a_at(p, tile.row + i32(i), mine); }
    for (var step = 0u; step < SUBGROUP; step++) {
      let s = subgroupShuffle(mine, step);
      var bs: array<f32, VECTORS>;
      for (var j = 0u; j < VECTORS; j++) { bs[j] = b_at(p, s, columns[j]); }
      for (var i = 0u; i < ROWS; i++) {
        let value = subgroupShuffle(as_[i], step);
        for (var j = 0u; j < VECTORS; j++) { sums[i][j] = fma(value, bs[j], sums[i][j]); }
      }
    }
  }
  for (var j = 0u; j < VECTORS; j++) {
    for (var i = 0u; i < ROWS; i++) { c_set(p, tile.row + i32(i), columns[j], sums[i][j]); }
  }
}

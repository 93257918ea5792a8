// The tiled product in registers only, for software adapters without subgroup operations. An invocation computes ROWS
// rows × VECTORS columns. Its columns are WORKGROUP columns apart.
// Expects ROWS, VECTORS, WORKGROUP, shared/grid.wgsl and shared/product.wgsl.

@compute @workgroup_size(WORKGROUP)
fn product_direct(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                  @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(linear_workgroup(w, groups), ROWS, VECTORS * WORKGROUP);
  if (tile.z >= params.problems * params.parts) { return; }
  let place = place_of(tile.z);
  let p = problem(place.quotient);
  let part = part_of(p, place.remainder);

  var columns: array<Column, VECTORS>;
  for (var j = 0u; j < VECTORS; j++) { // unroll
    columns[j] = column_at(p, tile.column + i32(j * WORKGROUP + lane));
  }
  var sums: array<array<f32, VECTORS>, ROWS>;
  for (var k = part.first; k < part.last; k++) {
    let s = slice_at(p, part, k);
    var bs: array<f32, VECTORS>;
    for (var j = 0u; j < VECTORS; j++) { // unroll
      bs[j] = b_at(p, s, columns[j]);
    }
    for (var i = 0u; i < ROWS; i++) { // unroll
      let value = a_at(p, tile.row + i32(i), s);
      for (var j = 0u; j < VECTORS; j++) { // unroll
        sums[i][j] = fma(value, bs[j], sums[i][j]);
      }
    }
  }
  for (var i = 0u; i < ROWS; i++) { // unroll
    let row = tile.row + i32(i);
    let start = bias_at(p, part, row);
    for (var j = 0u; j < VECTORS; j++) { // unroll
      c_set(p, part, row, columns[j], start + sums[i][j]);
    }
  }
}

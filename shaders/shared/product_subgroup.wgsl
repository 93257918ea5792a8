// The tiled product for software adapters: one subgroup computes 4·QUADS rows × VECTORS·SUBGROUP columns in registers. On
// software adapters a load costs as much as dozens of multiply-adds, at any address. A is therefore packed (see
// product_pack): a lane loads four rows at once, and the subgroup broadcasts each row to all lanes. Workgroup
// memory and barriers would cost more than they save.
// DEPTH steps of the inner axis are added to a sum while it is in a register. All values of DEPTH give the same results.
// Expects QUADS, VECTORS, LOADS = ⌈QUADS / SUBGROUP⌉, DEPTH, SUBGROUP, shared/grid.wgsl and shared/product.wgsl.

const ROWS = 4u * QUADS;

@group(0) @binding(5) var<storage, read> panels: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP)
fn product_subgroup(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                    @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(linear_workgroup(w, groups), ROWS, VECTORS * SUBGROUP);
  if (tile.z >= params.problems * params.parts) { return; }
  let place = place_of(tile.z);
  let p = problem(place.quotient);
  let part = part_of(p, place.remainder);
  if (tile.row >= p.rows || tile.column >= p.columns) { return; }

  var columns: array<Column, VECTORS>;
  for (var j = 0u; j < VECTORS; j++) { // unroll
    columns[j] = column_at(p, tile.column + i32(j * SUBGROUP + lane));
  }
  let panel = (tile.z * params.tile_rows + u32(tile.row) / ROWS) * params.steps;
  var at = panel * QUADS + min(lane, QUADS - 1u);

  var sums: array<array<vec4<f32>, VECTORS>, QUADS>;
  for (var k = part.first; k < part.last; k += i32(SUBGROUP)) {
    let mine = slice_at(p, part, k + i32(lane));
    for (var step = 0u; step < SUBGROUP; step += DEPTH) {
      var bs: array<array<f32, VECTORS>, DEPTH>;
      var as_: array<array<vec4<f32>, LOADS>, DEPTH>;
      for (var d = 0u; d < DEPTH; d++) { // unroll
        let s = subgroupShuffle(mine, step + d);
        for (var j = 0u; j < VECTORS; j++) { // unroll
          bs[d][j] = b_at(p, s, columns[j]);
        }
        for (var l = 0u; l < LOADS; l++) { // unroll
          as_[d][l] = panels[at + l * SUBGROUP];
        }
        at += QUADS;
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
  }

  // All sums move through the first place, so that the store code, slow to compile, exists only once.
  let rows = min(ROWS, u32(p.rows - tile.row));
  for (var first = 0u; first < rows; first += 4u) {
    for (var i = 0u; i < min(4u, rows - first); i++) {
      let row = tile.row + i32(first + i);
      let start = bias_at(p, part, row);
      for (var j = 0u; j < VECTORS; j++) { // unroll
        c_set(p, part, row, columns[j], start + sums[0][j][i]);
      }
    }
    for (var next = 0u; next < QUADS; next++) { // unroll
      sums[next] = sums[(next + 1u) % QUADS];
    }
  }
}

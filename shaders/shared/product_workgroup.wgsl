// The tiled product for GPUs. A workgroup of 64 invocations computes a tile of TILE × TILE elements (TILE = 8·SIDE).
// Each invocation computes SIDE × SIDE of these in registers. Workgroup memory holds blocks of A and B of DEPTH steps,
// and eight invocations read each element of a block. Expects SIDE, shared/grid.wgsl and shared/product.wgsl.

const INVOCATIONS = 64u;
const TILE = 8u * SIDE;
const DEPTH = 16u;

// Two more per row, so that the lanes that store neighbouring steps reach different banks.
var<workgroup> a_tile: array<array<f32, TILE + 2u>, DEPTH>;
var<workgroup> b_tile: array<array<f32, TILE>, DEPTH>;
var<workgroup> slices: array<Slice, DEPTH>;

@compute @workgroup_size(INVOCATIONS)
fn product_workgroup(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                     @builtin(local_invocation_index) local: u32) {
  let tile = tile_of(linear_workgroup(w, groups), TILE, TILE);
  if (tile.z >= params.problems * params.parts) { return; }
  let place = place_of(tile.z);
  let p = problem(place.quotient);
  let part = part_of(p, place.remainder);
  if (tile.row >= p.rows || tile.column >= p.columns) { return; }

  // Neighbouring invocations load neighbouring steps of A and neighbouring columns of B.
  let a_step = local % DEPTH;
  let a_row = local / DEPTH;
  let b_column = local % TILE;
  let b_step = local / TILE;
  let loaded = column_at(p, tile.column + i32(b_column));

  // The rows and columns of an invocation are 8 apart, so that workgroup memory is read without bank conflicts.
  let row = local / 8u;
  let column = local % 8u;
  var sums: array<array<f32, SIDE>, SIDE>;

  if (local < DEPTH) { slices[local] = slice_at(p, part, part.first + i32(local)); }
  for (var k = part.first; k < part.last; k += i32(DEPTH)) {
    workgroupBarrier();
    let a_slice = slices[a_step];
    for (var i = a_row; i < TILE; i += INVOCATIONS / DEPTH) { a_tile[a_step][i] = a_at(p, tile.row + i32(i), a_slice); }
    for (var i = b_step; i < DEPTH; i += INVOCATIONS / TILE) { b_tile[i][b_column] = b_at(p, slices[i], loaded); }
    workgroupBarrier();
    if (local < DEPTH) { slices[local] = slice_at(p, part, k + i32(DEPTH + local)); }
    for (var step = 0u; step < DEPTH; step++) {
      var bs: array<f32, SIDE>;
      for (var j = 0u; j < SIDE; j++) { // unroll
        bs[j] = b_tile[step][column + 8u * j];
      }
      for (var i = 0u; i < SIDE; i++) { // unroll
        let value = a_tile[step][row + 8u * i];
        for (var j = 0u; j < SIDE; j++) { // unroll
          sums[i][j] = fma(value, bs[j], sums[i][j]);
        }
      }
    }
  }
  var starts: array<f32, SIDE>;
  for (var i = 0u; i < SIDE; i++) { // unroll
    starts[i] = bias_at(p, part, tile.row + i32(row + 8u * i));
  }
  for (var j = 0u; j < SIDE; j++) { // unroll
    let n = column_at(p, tile.column + i32(column + 8u * j));
    for (var i = 0u; i < SIDE; i++) { // unroll
      c_set(p, part, tile.row + i32(row + 8u * i), n, starts[i] + sums[i][j]);
    }
  }
}

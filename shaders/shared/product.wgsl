// The operands of a tiled product C[m, n] = Σₖ A[m, k]·B[k, n], of which B is gathered from an image with zero padding.
//
// Expects the bindings `a`, `b`, `c`, `bias`, and of the file that says which product it is:
//   params                            with tile_rows, tile_columns, problems, steps, biased: u32
//   fn problem(z: u32) -> Problem     extents and whatever else is the same for a whole tile
//   fn column(p: Problem, n: i32)     what all of column n shares
//   fn slice(p: Problem, k: i32)      what all of step k shares
// Columns and slices meet by addition: y and z are the row and the column of the image, x is the offset of that element
// in `b`. w is the offset of A[0, k] in `a` for a slice, and of C[0, n] in `c` for a column.

alias Slice = vec4<i32>;
alias Column = vec4<i32>;

struct Problem {
  rows: i32, columns: i32,          // extents of C
  first: i32, last: i32,            // the part of the long axis to sum
  a_stride: i32, c_stride: i32,     // from one row to the next
  height: i32, width: i32,          // extents of the image B is gathered from
  offset: vec4<i32>,                // the file's own
}

// Far outside any image, so that what is gathered there is zero.
const OUTSIDE = 0x20000000;

fn a_at(p: Problem, row: i32, s: Slice) -> f32 {
  let inside = row < p.rows && s.y < OUTSIDE;
  return select(0.0, a[select(0, s.w + row * p.a_stride, inside)], inside);
}

fn b_at(p: Problem, s: Slice, n: Column) -> f32 {
  let inside = u32(s.y + n.y) < u32(p.height) && u32(s.z + n.z) < u32(p.width);
  return select(0.0, b[select(0, s.x + n.x, inside)], inside);
}

fn slice_at(p: Problem, k: i32) -> Slice {
  return select(Slice(0, OUTSIDE, OUTSIDE, 0), slice(p, k), vec4<bool>(k < p.last));
}

fn column_at(p: Problem, n: i32) -> Column {
  return select(Column(0, OUTSIDE, OUTSIDE, 0), column(p, n), vec4<bool>(n < p.columns));
}

// What is added to all of a row.
fn bias_at(p: Problem, row: i32) -> f32 {
  if (params.biased == 0u || row >= p.rows) { return 0.0; }
  return bias[row];
}

fn c_set(p: Problem, row: i32, n: Column, value: f32) {
  if (row < p.rows && n.y < OUTSIDE) { c[n.w + row * p.c_stride] = value; }
}

// Which tile, of which of the problems that share the dispatch, a workgroup computes.
struct Tile { z: u32, row: i32, column: i32 }

fn tile_of(index: u32, tile_rows: u32, tile_columns: u32) -> Tile {
  let across = params.tile_columns;
  let each = params.tile_rows * across;
  let within = index % each;
  return Tile(index / each, i32(within / across * tile_rows), i32(within % across * tile_columns));
}

// The operands of a tiled product C[m, n] = Σₖ A[m, k]·B[k, n], where B is gathered from an image with zero padding.
//
// Expects the bindings `a`, `b`, `c`, `bias`, and from the file that defines the product:
//   shared/divide.wgsl
//   params                            with tile_rows, tile_columns, problems, parts, steps, elements, biased: u32
//   fn problem(z: i32) -> Problem     extents and other values that are constant within a tile
//   fn column(p: Problem, n: i32)     values that are constant within column n
//   fn slice(p: Problem, k: i32)      values that are constant within step k
// The sum of a column and a slice locates an element of B: y and z are its row and column in the image, x is its offset
// in `b`. w is the offset of A[0, k] in `a` for a slice, and of C[0, n] in `c` for a column.
//
// The inner axis is divided into parts. Each part writes a C of its own, and sum_parts.wgsl adds them up.

alias Slice = vec4<i32>;
alias Column = vec4<i32>;

struct Problem {
  rows: i32, columns: i32,          // extents of C
  inner: i32,                       // extent of the inner axis
  a_stride: i32, c_stride: i32,     // from one row to the next
  height: i32, width: i32,          // extents of the image B is gathered from
  offset: vec4<i32>, taps: vec2<i32>,   // the file's own
}

// Part of the inner axis: the steps `first .. last`, and the offset of its C.
struct Part { first: i32, last: i32, c: i32 }

// The problem and the number of the part that index z of a dispatch stands for.
fn place_of(z: u32) -> Division { return divide(i32(z), i32(params.parts)); }

fn part_of(p: Problem, part: i32) -> Part {
  let length = divide(p.inner + i32(params.parts) - 1, i32(params.parts)).quotient;
  let first = min(part * length, p.inner);
  return Part(first, min(first + length, p.inner), part * i32(params.elements));
}

// A coordinate far outside any image, where gathered elements are zero.
const OUTSIDE = 0x20000000;

fn a_at(p: Problem, row: i32, s: Slice) -> f32 {
  let inside = row < p.rows && s.y < OUTSIDE;
  return select(0.0, a[select(0, s.w + row * p.a_stride, inside)], inside);
}

fn b_at(p: Problem, s: Slice, n: Column) -> f32 {
  let inside = u32(s.y + n.y) < u32(p.height) && u32(s.z + n.z) < u32(p.width);
  return select(0.0, b[select(0, s.x + n.x, inside)], inside);
}

fn slice_at(p: Problem, part: Part, k: i32) -> Slice {
  return select(Slice(0, OUTSIDE, OUTSIDE, 0), slice(p, k), vec4<bool>(k < part.last));
}

fn column_at(p: Problem, n: i32) -> Column {
  return select(Column(0, OUTSIDE, OUTSIDE, 0), column(p, n), vec4<bool>(n < p.columns));
}

// The bias, which the first part adds to all elements of a row.
fn bias_at(p: Problem, part: Part, row: i32) -> f32 {
  if (params.biased == 0u || part.c > 0 || row >= p.rows) { return 0.0; }
  return bias[row];
}

fn c_set(p: Problem, part: Part, row: i32, n: Column, value: f32) {
  if (row < p.rows && n.y < OUTSIDE) { c[part.c + n.w + row * p.c_stride] = value; }
}

// The tile of a workgroup: the index of its problem and part in the dispatch, and its first row and column.
struct Tile { z: u32, row: i32, column: i32 }

fn tile_of(index: u32, tile_rows: u32, tile_columns: u32) -> Tile {
  let tile = divide(i32(index), i32(params.tile_rows * params.tile_columns));
  let within = divide(tile.remainder, i32(params.tile_columns));
  return Tile(u32(tile.quotient), within.quotient * i32(tile_rows), within.remainder * i32(tile_columns));
}

// C = A·B. Both operands have arbitrary strides, so that transposes cost nothing. The image is a single pixel.

struct Params {
  rows: i32, columns: i32, inner: i32,
  a_row: i32, a_inner: i32, b_inner: i32, b_column: i32,
  tile_rows: u32, tile_columns: u32, problems: u32, parts: u32, steps: u32, elements: u32, biased: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn problem(z: i32) -> Problem {
  return Problem(params.rows, params.columns, params.inner, params.a_row, params.columns, 1, 1,
                 vec4<i32>(0), vec2<i32>(0));
}

fn column(p: Problem, n: i32) -> Column { return Column(n * params.b_column, 0, 0, n); }

fn slice(p: Problem, k: i32) -> Slice { return Slice(k * params.b_inner, 0, 0, k * params.a_inner); }

// Puzzle 7: transpose.
//
// y[c, r] = x[r, c]. Invocation (i, j) of a workgroup of 16 × 16 takes column i and row j of a tile. What it computes is right,
// but neighbouring invocations store a whole row apart, each into another line of memory. Let neighbours load neighbouring
// elements and store neighbouring elements: take the tile through workgroup memory. Rows and columns are any numbers.
//
// x             [rows, columns]
// y             [columns, rows]
// local.x, .y   from 0 to 15
//
// In the engine: shaders/matmul.wgsl reads its operands by strides, so that no transpose is ever stored.

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn transpose(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let across = (params.columns + 15u) / 16u;      // tiles in a row
  let row = w.x / across * 16u;                   // of the tile
  let column = w.x % across * 16u;
  let r = row + local.y;
  let c = column + local.x;
  if (r < params.rows && c < params.columns) { y[c * params.rows + r] = x[r * params.columns + c]; }
}

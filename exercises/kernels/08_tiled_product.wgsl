// Puzzle 8: tiled product.
//
// C = A·B with C[m, n] = Σₖ A[m, k]·B[k, n]. A workgroup of 16 × 16 computes a tile of C, one element per invocation. It takes
// 16 steps of k at a time: it loads a tile of A and a tile of B into workgroup memory, and each of their elements is used by 16
// invocations. The loads and what they need are missing.
//
// a, b, c       [rows, steps], [steps, columns] and [rows, columns], any numbers
// a_at, b_at    elements, or zero outside
// local.x, .y   column and row of the invocation's element in the tile
//
// In the engine: shaders/shared/product_workgroup.wgsl, and examples/kernel_lab/3_workgroup.wgsl.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> a_tile: array<array<f32, 16>, 16>;   // [row of the tile, step]
var<workgroup> b_tile: array<array<f32, 16>, 16>;   // [step, column of the tile]

// Elements of A and B, or zero outside.
fn a_at(m: u32, k: u32) -> f32 {
  if (m < params.rows && k < params.steps) { return a[m * params.steps + k]; }
  return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
  if (k < params.steps && n < params.columns) { return b[k * params.columns + n]; }
  return 0.0;
}

@compute @workgroup_size(16, 16)
fn tiled_product(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let across = (params.columns + 15u) / 16u;
  let m = w.x / across * 16u + local.y;
  let n = w.x % across * 16u + local.x;
  var sum = 0.0;
  for (var k = 0u; k < params.steps; k += 16u) {
    // Your code.
    for (var step = 0u; step < 16u; step++) { sum += a_tile[local.y][step] * b_tile[step][local.x]; }
    // Your code.
  }
  if (m < params.rows && n < params.columns) { c[m * params.columns + n] = sum; }
}

// Puzzle 9: register tile.
//
// The same product, and neither workgroup memory nor barriers: an invocation computes 4 × 4 elements of C, in registers. In each
// step of k it loads four elements of A and four of B, which gives 16 multiply-adds: half a load for each instead of two. Its
// rows are m, …, m + 3, its columns n, n + 8, n + 16 and n + 24, so that its neighbours load neighbouring columns. A workgroup
// of 8 × 8 invocations computes 32 × 32.
//
// a, b, c      [rows, steps], [steps, columns] and [rows, columns], any numbers
// a_at, b_at   elements, or zero outside
// sums[i][j]   the element in row m + i and column n + 8·j
//
// In the engine: shaders/shared/product_direct.wgsl, and examples/kernel_lab/2_registers.wgsl.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Elements of A and B, or zero outside.
fn a_at(m: u32, k: u32) -> f32 {
  if (m < params.rows && k < params.steps) { return a[m * params.steps + k]; }
  return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
  if (k < params.steps && n < params.columns) { return b[k * params.columns + n]; }
  return 0.0;
}

@compute @workgroup_size(8, 8)
fn register_tile(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let across = (params.columns + 31u) / 32u;
  let m = w.x / across * 32u + local.y * 4u;
  let n = w.x % across * 32u + local.x;
  var sums: array<array<f32, 4>, 4>;
  for (var k = 0u; k < params.steps; k++) {
    // Your code.
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = m + i;
      let column = n + 8u * j;
      if (row < params.rows && column < params.columns) { c[row * params.columns + column] = sums[i][j]; }
    }
  }
}

// Puzzle 10: panels.
//
// The four rows of A that an invocation needs in a step are far apart in memory: four loads. A first kernel, `pack`, puts them
// side by side, so that `product` has them in one load of a vector. Write `pack`; `product` is complete.
//
// panels[p·steps + k] = (A[4p, k], A[4p + 1, k], A[4p + 2, k], A[4p + 3, k]), zero in rows that A does not have.
//
// a, b, c       [rows, steps], [steps, columns] and [rows, columns], any numbers
// panels        steps vectors for each four rows
// pack          one invocation per vector
//
// In the engine: shaders/shared/product_pack.wgsl, and examples/kernel_lab/5_panels.wgsl.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<storage, read_write> panels: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

fn a_at(m: u32, k: u32) -> f32 {
  if (m < params.rows) { return a[m * params.steps + k]; }
  return 0.0;
}

@compute @workgroup_size(64)
fn pack(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  // Your code.
}

// An invocation computes four rows × four columns. Its columns are 8 apart.
@compute @workgroup_size(8, 8)
fn product(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let across = (params.columns + 31u) / 32u;
  let panel = w.x / across * 8u + local.y;
  let n = w.x % across * 32u + local.x;
  if (4u * panel >= params.rows) { return; }
  var sums: array<vec4<f32>, 4>;
  for (var k = 0u; k < params.steps; k++) {
    let rows = panels[panel * params.steps + k];
    for (var j = 0u; j < 4u; j++) {
      let column = min(n + 8u * j, params.columns - 1u);
      sums[j] = fma(rows, vec4<f32>(b[k * params.columns + column]), sums[j]);
    }
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = 4u * panel + i;
      let column = n + 8u * j;
      if (row < params.rows && column < params.columns) { c[row * params.columns + column] = sums[j][i]; }
    }
  }
}

// The engine marks such loops with `// unroll`, and they are written out before the driver sees them: a local array lies in
// registers only if all its indices are constants.

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
    var bs: array<f32, 4>;
    for (var j = 0u; j < 4u; j++) { bs[j] = b_at(k, n + 8u * j); }
    for (var i = 0u; i < 4u; i++) {
      let value = a_at(m + i, k);
      for (var j = 0u; j < 4u; j++) { sums[i][j] = fma(value, bs[j], sums[i][j]); }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = m + i;
      let column = n + 8u * j;
      if (row < params.rows && column < params.columns) { c[row * params.columns + column] = sums[i][j]; }
    }
  }
}

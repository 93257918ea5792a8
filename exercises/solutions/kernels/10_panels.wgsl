// Packing costs two accesses per element of A, and each panel is read once for every 32 columns of C.

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
  let i = w.x * 64u + local;
  if (i >= (params.rows + 3u) / 4u * params.steps) { return; }
  let m = i / params.steps * 4u;
  let k = i % params.steps;
  panels[i] = vec4<f32>(a_at(m, k), a_at(m + 1u, k), a_at(m + 2u, k), a_at(m + 3u, k));
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

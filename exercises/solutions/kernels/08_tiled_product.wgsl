// Two barriers: nobody reads a tile before it is complete, and nobody overwrites it before all have read it.

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
    a_tile[local.y][local.x] = a_at(m, k + local.x);
    b_tile[local.y][local.x] = b_at(k + local.y, n);
    workgroupBarrier();
    for (var step = 0u; step < 16u; step++) { sum += a_tile[local.y][step] * b_tile[step][local.x]; }
    workgroupBarrier();
  }
  if (m < params.rows && n < params.columns) { c[m * params.columns + n] = sum; }
}

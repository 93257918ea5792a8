// A barrier stands between the writes of an invocation and the reads of the others. All invocations of the workgroup must
// reach it, so it comes before the return.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> tile: array<f32, 68>;   // x[first − 2], …, x[first + 65]

fn x_at(i: i32) -> f32 {
  if (u32(i) < params.count) { return x[i]; }
  return 0.0;
}

@compute @workgroup_size(64)
fn barrier(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let first = w.x * 64u;
  tile[local] = x_at(i32(first + local) - 2);
  if (local < 4u) { tile[64u + local] = x_at(i32(first + local) + 62); }
  workgroupBarrier();
  if (first + local >= params.count) { return; }
  y[first + local] = tile[local] + tile[local + 1u] + tile[local + 2u] + tile[local + 3u] + tile[local + 4u];
}

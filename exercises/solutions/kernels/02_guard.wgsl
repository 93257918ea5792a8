// The runtime would keep an access outside the buffer from doing harm, and would pay for that at each access. The engine's
// kernels are compiled without these checks, so they must guard themselves.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn guard(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  if (i < params.count) { y[i] = max(x[i], 0.0); }
}

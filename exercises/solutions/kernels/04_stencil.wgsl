// The last element is number count − 1.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// x[i], or zero outside. A negative number as u32 is larger than any count, so one comparison tests both ends.
fn x_at(i: i32) -> f32 {
  if (u32(i) < params.count) { return x[i]; }
  return 0.0;
}

@compute @workgroup_size(64)
fn stencil(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  if (i >= params.count) { return; }
  let at = i32(i);
  y[i] = x_at(at - 1) - 2.0 * x_at(at) + x_at(at + 1);
}

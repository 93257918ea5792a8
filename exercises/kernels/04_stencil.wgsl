// Puzzle 4: stencil.
//
// y[i] = x[i − 1] − 2·x[i] + x[i + 1], the second difference, where x is zero outside its elements. Something is wrong here.
//
// x, y           `count` elements each
// params.count   their number
//
// In the engine: b_at in shaders/shared/product.wgsl reads a padded image with the same trick.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// x[i], or zero outside. A negative number as u32 is larger than any count, so one comparison tests both ends.
fn x_at(i: i32) -> f32 {
  if (u32(i) <= params.count) { return x[i]; }
  return 0.0;
}

@compute @workgroup_size(64)
fn stencil(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  if (i >= params.count) { return; }
  let at = i32(i);
  y[i] = x_at(at - 1) - 2.0 * x_at(at) + x_at(at + 1);
}

// WGSL multiplies vectors element by element.

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn zip(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  if (i < params.quads) { y[i] = a[i] * b[i]; }
}

// Workgroups have 64 invocations, so invocation `local` of workgroup w takes element 64·w + local.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn map(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  let value = x[i];
  y[i] = value * value + 1.0;
}

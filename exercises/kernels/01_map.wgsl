// Puzzle 1: map.
//
// Compute y[i] = x[i]·x[i] + 1 for each i, one element per invocation. The number of elements is a multiple of 64.
//
// x          the elements
// y          the results, as many
// w, local   the number of the workgroup, and that of the invocation within it
//
// In the engine: shaders/leaky_relu.wgsl states only such a formula, and shaders/shared/elementwise_1.wgsl applies it.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn map(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  // Your code: store the result of element i.
}

// Puzzle 3: zip.
//
// y[i] = a[i]·b[i], four elements at a time: the buffers are arrays of vectors, one vector per invocation. A vector is one
// load. On a software adapter that is cheaper than four loads, on a GPU it is at least as good.
//
// a, b, y        `quads` vectors of four elements each
// params.quads   their number; not a multiple of 64
//
// In the engine: shaders/multiplication.wgsl with shaders/shared/elementwise_2.wgsl.

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn zip(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  // Your code.
}

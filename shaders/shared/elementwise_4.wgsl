// An elementwise kernel of four operands: y = formula_4(x0, x1, x2, x3), one invocation per vector of four elements.
// Expects WORKGROUP, shared/element.wgsl and
//   fn formula_4(x0, x1, x2, x3: vec4<f32>) -> vec4<f32>

struct Params { quads: u32, c0: f32, c1: f32, c2: f32, c3: f32 }

@group(0) @binding(0) var<storage, read> x0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x3: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn elementwise_4(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                 @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { y[i] = formula_4(x0[i], x1[i], x2[i], x3[i]); }
}

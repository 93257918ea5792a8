// y = w[0]·x0 + w[1]·x1 + w[2]·x2, one invocation per four elements. Expects WORKGROUP and shared/element.wgsl.

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x2: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn weighted_sum(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { y[i] = weights[0] * x0[i] + weights[1] * x1[i] + weights[2] * x2[i]; }
}

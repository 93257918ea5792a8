// a ← a + r·(x − a), one invocation per four elements. Expects WORKGROUP and shared/element.wgsl.

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read_write> average: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> rate: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn moving_average(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                  @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { average[i] += rate[0] * (x[i] - average[i]); }
}

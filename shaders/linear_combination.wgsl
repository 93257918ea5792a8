// y = c0·x0 + c1·x1 + …, one invocation four elements. Expects WORKGROUP and shared/element.wgsl.

struct Params { quads: u32, c0: f32, c1: f32, c2: f32, c3: f32 }

@group(0) @binding(0) var<storage, read> x0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x3: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn combine1(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { y[i] = params.c0 * x0[i]; }
}

@compute @workgroup_size(WORKGROUP)
fn combine2(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { y[i] = params.c0 * x0[i] + params.c1 * x1[i]; }
}

@compute @workgroup_size(WORKGROUP)
fn combine3(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) { y[i] = params.c0 * x0[i] + params.c1 * x1[i] + params.c2 * x2[i]; }
}

@compute @workgroup_size(WORKGROUP)
fn combine4(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.quads) {
    y[i] = params.c0 * x0[i] + params.c1 * x1[i] + params.c2 * x2[i] + params.c3 * x3[i];
  }
}

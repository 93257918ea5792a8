// The derivatives of the distances, one invocation an element; gradient has one number for each sample, or one for all.
// Expects WORKGROUP and shared/element.wgsl.

struct Params { elements: u32, run: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn squared_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { y[i] = 2.0 * params.scale * gradient[i / params.run] * (a[i] - b[i]); }
}

@compute @workgroup_size(WORKGROUP)
fn absolute_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                     @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) {
    let d = a[i] - b[i];
    let sign = select(select(d, -1.0, d < 0.0), 1.0, d > 0.0);
    y[i] = params.scale * gradient[i / params.run] * sign;
  }
}

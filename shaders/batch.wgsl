// Copies between a batch and a run of its samples, one invocation per element.
// Expects WORKGROUP and shared/element.wgsl.

struct Params { elements: u32, offset: u32, length: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// y = x[offset .. offset + elements]
@compute @workgroup_size(WORKGROUP)
fn take(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
        @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { y[i] = x[params.offset + i]; }
}

// y[offset .. offset + elements] = x
@compute @workgroup_size(WORKGROUP)
fn put(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
       @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { y[params.offset + i] = x[i]; }
}

// y[offset .. offset + length] = x, and y = 0 elsewhere
@compute @workgroup_size(WORKGROUP)
fn embed(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
         @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  var value = 0.0;
  if (i >= params.offset && i - params.offset < params.length) { value = x[i - params.offset]; }
  y[i] = value;
}

// y[n, c, pixel] += bias[c], one invocation per element.
// Expects WORKGROUP, shared/element.wgsl and shared/divide.wgsl.

struct Params { elements: u32, pixels: i32, channels: i32 }

@group(0) @binding(0) var<storage, read> bias: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn add_bias(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let plane = divide(i32(i), params.pixels).quotient;
  y[i] += bias[divide(plane, params.channels).remainder];
}

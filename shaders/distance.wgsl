// The derivatives of the distances, one invocation per four elements. `gradient` has one number per sample or in total.
// Expects WORKGROUP, PER_SAMPLE, shared/element.wgsl and shared/divide.wgsl.

struct Params { elements: u32, run: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// The scaled gradient for each of four elements. Usually all four belong to one sample.
fn gradients(i: u32) -> vec4<f32> {
  if (!PER_SAMPLE) { return vec4<f32>(params.scale * gradient[0]); }
  let first = sample_of(4u * i);
  if (first == sample_of(4u * i + 3u)) { return vec4<f32>(params.scale * gradient[first]); }
  let others = vec3<f32>(gradient[sample_of(4u * i + 1u)], gradient[sample_of(4u * i + 2u)], gradient[sample_of(4u * i + 3u)]);
  return params.scale * vec4<f32>(gradient[first], others);
}

fn sample_of(i: u32) -> i32 {
  return divide(i32(min(i, params.elements - 1u)), i32(params.run)).quotient;
}

@compute @workgroup_size(WORKGROUP)
fn squared_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (4u * i < params.elements) { y[i] = 2.0 * gradients(i) * (a[i] - b[i]); }
}

@compute @workgroup_size(WORKGROUP)
fn absolute_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                     @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (4u * i >= params.elements) { return; }
  let d = a[i] - b[i];
  let zero = vec4<f32>(0.0);
  // A NaN in d stays a NaN.
  let sign = select(select(d, vec4<f32>(-1.0), d < zero), vec4<f32>(1.0), d > zero);
  y[i] = gradients(i) * sign;
}

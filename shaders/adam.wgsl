// One step of Adam, one invocation per four parameters. rates = (learning rate / (1 − β1ᵗ), 1 / √(1 − β2ᵗ)).
// Expects WORKGROUP and shared/element.wgsl.

struct Params { quads: u32, beta1: f32, beta2: f32, epsilon: f32 }

@group(0) @binding(0) var<storage, read_write> p: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> rates: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn adam(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
        @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let g = gradient[i];
  let first = params.beta1 * m[i] + (1.0 - params.beta1) * g;
  let second = params.beta2 * v[i] + (1.0 - params.beta2) * g * g;
  m[i] = first;
  v[i] = second;
  p[i] -= rates[0] * first / (sqrt(second) * rates[1] + params.epsilon);
}

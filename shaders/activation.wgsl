// Activations and their derivatives, one invocation four elements. The derivative is written in terms of the output y, so
// that the input need not be kept. Written so that a NaN stays one. Expects WORKGROUP and shared/element.wgsl.

struct Params { quads: u32, slope: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

const ZERO = vec4<f32>(0.0);

@compute @workgroup_size(WORKGROUP)
fn leaky_relu(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let at = x[i];
  result[i] = select(at, params.slope * at, at < ZERO);
}

@compute @workgroup_size(WORKGROUP)
fn leaky_relu_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                       @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let g = gradient[i];
  result[i] = select(params.slope * g, g, y[i] > ZERO);
}

@compute @workgroup_size(WORKGROUP)
fn hyperbolic_tangent(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let at = x[i];
  // Some drivers compute tanh from exp(2x), which overflows; beyond 15 the result is ±1 anyway.
  result[i] = select(tanh(at), sign(at), abs(at) > vec4<f32>(15.0));
}

@compute @workgroup_size(WORKGROUP)
fn hyperbolic_tangent_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                               @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let at = y[i];
  result[i] = gradient[i] * (1.0 - at * at);
}

@compute @workgroup_size(WORKGROUP)
fn sigmoid(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
           @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let at = x[i];
  // exp of a negative number only, which cannot overflow.
  let e = exp(-abs(at));
  result[i] = select(1.0 / (1.0 + e), e / (1.0 + e), at < ZERO);
}

@compute @workgroup_size(WORKGROUP)
fn sigmoid_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let at = y[i];
  result[i] = gradient[i] * at * (1.0 - at);
}

@compute @workgroup_size(WORKGROUP)
fn exponential(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
               @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  result[i] = exp(x[i]);
}

@compute @workgroup_size(WORKGROUP)
fn exponential_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                        @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  result[i] = gradient[i] * y[i];
}

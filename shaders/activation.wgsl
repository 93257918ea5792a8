// Activations and their derivatives, one invocation an element. The derivative is written in terms of the output y, so
// that the input need not be kept. Written so that a NaN stays one. Expects WORKGROUP and shared/element.wgsl.

struct Params { elements: u32, slope: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn leaky_relu(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { result[i] = select(x[i], params.slope * x[i], x[i] < 0.0); }
}

@compute @workgroup_size(WORKGROUP)
fn leaky_relu_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                       @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { result[i] = select(params.slope * gradient[i], gradient[i], y[i] > 0.0); }
}

@compute @workgroup_size(WORKGROUP)
fn hyperbolic_tangent(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  // Some drivers compute tanh from exp(2x), which overflows; beyond 15 the result is ±1 anyway.
  if (i < params.elements) { result[i] = select(tanh(x[i]), sign(x[i]), abs(x[i]) > 15.0); }
}

@compute @workgroup_size(WORKGROUP)
fn hyperbolic_tangent_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                               @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { result[i] = gradient[i] * (1.0 - y[i] * y[i]); }
}

@compute @workgroup_size(WORKGROUP)
fn sigmoid(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
           @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) {
    // exp of a negative number only, which cannot overflow.
    let e = exp(-abs(x[i]));
    result[i] = select(1.0 / (1.0 + e), e / (1.0 + e), x[i] < 0.0);
  }
}

@compute @workgroup_size(WORKGROUP)
fn sigmoid_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { result[i] = gradient[i] * y[i] * (1.0 - y[i]); }
}

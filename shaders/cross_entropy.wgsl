// Softmax cross-entropy of logits [N, K] and target probabilities [N, K], one invocation per sample.
// Expects WORKGROUP and shared/element.wgsl.

struct Params { samples: u32, classes: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// log Σ exp(logit), with the greatest logit factored out to avoid overflow.
fn log_sum_exp(first: u32) -> f32 {
  var greatest = logits[first];
  for (var k = 1u; k < params.classes; k++) { greatest = max(greatest, logits[first + k]); }
  var sum = 0.0;
  for (var k = 0u; k < params.classes; k++) { sum += exp(logits[first + k] - greatest); }
  return greatest + log(sum);
}

@compute @workgroup_size(WORKGROUP)
fn cross_entropy(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                 @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.samples) { return; }
  let first = i * params.classes;
  let normaliser = log_sum_exp(first);
  var loss = 0.0;
  for (var k = 0u; k < params.classes; k++) { loss += targets[first + k] * (normaliser - logits[first + k]); }
  y[i] = loss;
}

@compute @workgroup_size(WORKGROUP)
fn cross_entropy_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                          @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.samples) { return; }
  let first = i * params.classes;
  let normaliser = log_sum_exp(first);
  var mass = 0.0;
  for (var k = 0u; k < params.classes; k++) { mass += targets[first + k]; }
  for (var k = 0u; k < params.classes; k++) {
    y[first + k] = gradient[i] * (mass * exp(logits[first + k] - normaliser) - targets[first + k]);
  }
}

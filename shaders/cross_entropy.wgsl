// Softmax cross-entropy of logits x [N, K] and target probabilities t [N, K], one invocation per part of a sample's
// classes. With M = max x and S = Σ exp(x − M), the loss is Σ t·(log S − (x − M)) and the gradient
// g·(Σ t·exp(x − M)/S − t). Neither depends on a number that is added to all logits.
// Expects WORKGROUP, shared/element.wgsl and shared/divide.wgsl.

struct Params { samples: u32, classes: u32, parts: u32 }

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> totals: array<vec4<f32>>;    // [parts, N] of (M, S, Σ t, 0)
@group(0) @binding(5) var<storage, read> of_parts: array<vec4<f32>>;        // the same memory, to read
@group(0) @binding(6) var<uniform> params: Params;

const GREATEST = 3.40282347e38;

// The elements `first .. last` of a part: classes of one sample.
struct Run { sample: u32, first: u32, last: u32 }

fn run_of(i: u32) -> Run {
  let place = divide(i32(i), i32(params.samples));
  let part = u32(place.quotient);
  let sample = u32(place.remainder);
  let length = u32(divide(i32(params.classes + params.parts - 1u), i32(params.parts)).quotient);
  let start = sample * params.classes;
  return Run(sample, start + min(part * length, params.classes), start + min((part + 1u) * length, params.classes));
}

// exp(x − greatest), which is 0 for x = −∞ also where all logits are −∞.
fn weight(x: f32, greatest: f32) -> f32 { return select(exp(x - greatest), 0.0, x < -GREATEST); }

@compute @workgroup_size(WORKGROUP)
fn cross_entropy_totals(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                        @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.samples * params.parts) { return; }
  let run = run_of(i);
  var greatest = logits[run.first];
  for (var k = run.first; k < run.last; k++) { greatest = max(greatest, logits[k]); }
  var sum = 0.0;
  var mass = 0.0;
  for (var k = run.first; k < run.last; k++) {
    sum += weight(logits[k], greatest);
    mass += targets[k];
  }
  totals[i] = vec4<f32>(greatest, sum, mass, 0.0);
}

// (M, S, Σ t) of all classes of a sample.
fn total_of(sample: u32) -> vec3<f32> {
  var greatest = of_parts[sample].x;
  for (var part = 1u; part < params.parts; part++) { greatest = max(greatest, of_parts[part * params.samples + sample].x); }
  var total = vec2<f32>(0.0);
  for (var part = 0u; part < params.parts; part++) {
    let more = of_parts[part * params.samples + sample];
    total += vec2<f32>(more.y * weight(more.x, greatest), more.z);
  }
  return vec3<f32>(greatest, total);
}

@compute @workgroup_size(WORKGROUP)
fn cross_entropy(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                 @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.samples * params.parts) { return; }
  let run = run_of(i);
  let total = total_of(run.sample);
  let normaliser = log(total.y);
  var loss = 0.0;
  for (var k = run.first; k < run.last; k++) {
    // An impossible class costs nothing where nothing is expected of it: 0·∞ counts as 0.
    let term = targets[k] * (normaliser - (logits[k] - total.x));
    loss += select(term, 0.0, targets[k] == 0.0);
  }
  y[i] = loss;
}

@compute @workgroup_size(WORKGROUP)
fn cross_entropy_gradient(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                          @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.samples * params.parts) { return; }
  let run = run_of(i);
  let total = total_of(run.sample);
  for (var k = run.first; k < run.last; k++) {
    y[k] = gradient[run.sample] * (total.z * weight(logits[k], total.x) / total.y - targets[k]);
  }
}

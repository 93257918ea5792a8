// r ← (1 − m)·r + m·s for the mean and the unbiased variance per channel, with the momentum m.
// Expects WORKGROUP and shared/element.wgsl.

struct Params { channels: u32, momentum: f32, unbiased: f32 }

@group(0) @binding(0) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(1) var<storage, read_write> running_variance: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn update_running(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                  @builtin(local_invocation_index) l: u32) {
  let c = element(w, n, l);
  if (c >= params.channels) { return; }
  let keep = 1.0 - params.momentum;
  let variance = params.unbiased * statistics[params.channels + c];
  running_mean[c] = keep * running_mean[c] + params.momentum * statistics[c];
  running_variance[c] = keep * running_variance[c] + params.momentum * variance;
}

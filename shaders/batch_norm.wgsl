// The elementwise halves of batch norm with its activation, forward and backward.
// Expects WORKGROUP, shared/element.wgsl, shared/divide.wgsl and shared/batch_norm.wgsl.

struct Params {
  images: i32, channels: i32, pixels: i32,
  epsilon: f32,
  slope: f32,       // of the activation below zero
  share: f32,       // 1/n of a channel's n elements, or 0 where the statistics are constants
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> sums: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

// What the gradient adds to the channel: dx = scale · dv − constant − slope · (x − mean).
struct Backward { channel: Channel, constant: f32, slope: f32 }

fn backward_of(c: i32) -> Backward {
  let channel = channel_of(c);
  let share = channel.scale * params.share;
  return Backward(channel, share * sums[c], share * sums[params.channels + c] * channel.inverse);
}

fn backward(b: Backward, i: i32) -> f32 {
  let at = x[i];
  let dv = before_activation(b.channel, at, dy[i]);
  return b.channel.scale * dv - b.constant - b.slope * (at - b.channel.mean);
}

fn channel_at(i: i32) -> i32 {
  let plane = divide(i, params.pixels, 1.0 / f32(params.pixels)).quotient;
  return divide(plane, params.channels, 1.0 / f32(params.channels)).remainder;
}

// One invocation an element: for GPUs.
@compute @workgroup_size(WORKGROUP)
fn normalise_elements(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  if (i >= params.images * params.channels * params.pixels) { return; }
  result[i] = activated(channel_of(channel_at(i)), x[i]);
}

@compute @workgroup_size(WORKGROUP)
fn gradient_elements(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                     @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  if (i >= params.images * params.channels * params.pixels) { return; }
  result[i] = backward(backward_of(channel_at(i)), i);
}

// One invocation a plane of one image and channel, so that what the channel shares is loaded once: for software adapters.
@compute @workgroup_size(WORKGROUP)
fn normalise_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let plane = i32(element(w, n, l));
  if (plane >= params.images * params.channels) { return; }
  let c = channel_of(plane % params.channels);
  let first = plane * params.pixels;
  for (var i = first; i < first + params.pixels; i++) { result[i] = activated(c, x[i]); }
}

@compute @workgroup_size(WORKGROUP)
fn gradient_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                   @builtin(local_invocation_index) l: u32) {
  let plane = i32(element(w, n, l));
  if (plane >= params.images * params.channels) { return; }
  let b = backward_of(plane % params.channels);
  let first = plane * params.pixels;
  for (var i = first; i < first + params.pixels; i++) { result[i] = backward(b, i); }
}

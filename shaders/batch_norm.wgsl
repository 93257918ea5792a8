// The elementwise halves of batch norm, forward and backward, and the running averages.
// Expects WORKGROUP, shared/element.wgsl and shared/divide.wgsl.

struct Params {
  images: i32, channels: i32, pixels: i32,
  epsilon: f32,
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

// What all elements of a channel share.
struct Channel { mean: f32, deviation: f32 }

fn channel_of(c: i32) -> Channel {
  return Channel(statistics[c], sqrt(statistics[params.channels + c] + params.epsilon));
}

struct Forward { scale: f32, shift: f32 }

// y = scale · x + shift
fn forward_of(c: i32) -> Forward {
  let channel = channel_of(c);
  let scale = gamma[c] / channel.deviation;
  return Forward(scale, beta[c] - scale * channel.mean);
}

struct Backward { mean: f32, scale: f32, constant: f32, slope: f32 }

// dx = scale · dy − constant − slope · (x − mean)
fn backward_of(c: i32) -> Backward {
  let channel = channel_of(c);
  let scale = gamma[c] / channel.deviation;
  let share = scale * params.share;
  return Backward(channel.mean, scale, share * sums[c], share * sums[params.channels + c] / channel.deviation);
}

fn backward(b: Backward, i: i32) -> f32 { return b.scale * dy[i] - b.constant - b.slope * (x[i] - b.mean); }

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
  let f = forward_of(channel_at(i));
  result[i] = f.scale * x[i] + f.shift;
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
  let f = forward_of(plane % params.channels);
  let first = plane * params.pixels;
  for (var i = first; i < first + params.pixels; i++) { result[i] = f.scale * x[i] + f.shift; }
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

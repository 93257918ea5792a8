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
@group(0) @binding(7) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> result4: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> params: Params;

// What the gradient adds to the channel: dx = scale · dv − constant − slope · (x − mean).
struct Backward { channel: Channel, constant: f32, slope: f32 }

fn backward_of(c: i32) -> Backward {
  let channel = channel_of(c);
  let share = channel.scale * params.share;
  return Backward(channel, share * sums[c], share * sums[params.channels + c] * channel.inverse);
}

fn backward(b: Backward, i: i32) -> f32 {
  let at = x[i];
  let v = b.channel.scale * at + b.channel.shift;
  let dv = before_activation(vec4<f32>(v), vec4<f32>(dy[i])).x;
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
  let c = channel_of(channel_at(i));
  result[i] = activated(vec4<f32>(c.scale * x[i] + c.shift)).x;
}

@compute @workgroup_size(WORKGROUP)
fn gradient_elements(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                     @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  if (i >= params.images * params.channels * params.pixels) { return; }
  result[i] = backward(backward_of(channel_at(i)), i);
}

// One invocation four planes, which begin at a multiple of four elements whatever their size, so that they can be moved
// by vectors, and what a channel shares is loaded once: for software adapters.
@compute @workgroup_size(WORKGROUP)
fn normalise_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let first = 4 * i32(element(w, n, l));
  if (first >= params.images * params.channels) { return; }
  var scale: vec4<f32>;
  var shift: vec4<f32>;
  for (var j = 0; j < 4; j++) {
    let c = channel_of((first + j) % params.channels);
    scale[j] = c.scale;
    shift[j] = c.shift;
  }
  for (var i = 0; i < quads(first); i++) {
    let at = first / 4 * params.pixels + i;
    let plane = planes_of(i);
    result4[at] = activated(pick(scale, plane) * x4[at] + pick(shift, plane));
  }
}

@compute @workgroup_size(WORKGROUP)
fn gradient_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                   @builtin(local_invocation_index) l: u32) {
  let first = 4 * i32(element(w, n, l));
  if (first >= params.images * params.channels) { return; }
  var scale: vec4<f32>;
  var shift: vec4<f32>;
  var mean: vec4<f32>;
  var constant: vec4<f32>;
  var slope: vec4<f32>;
  for (var j = 0; j < 4; j++) {
    let b = backward_of((first + j) % params.channels);
    scale[j] = b.channel.scale;
    shift[j] = b.channel.shift;
    mean[j] = b.channel.mean;
    constant[j] = b.constant;
    slope[j] = b.slope;
  }
  for (var i = 0; i < quads(first); i++) {
    let at = first / 4 * params.pixels + i;
    let plane = planes_of(i);
    let x = x4[at];
    let factor = pick(scale, plane);
    let dv = before_activation(factor * x + pick(shift, plane), dy4[at]);
    result4[at] = factor * dv - pick(constant, plane) - pick(slope, plane) * (x - pick(mean, plane));
  }
}

// Vectors of the four planes from plane `first` on, of which the last three may not be there.
fn quads(first: i32) -> i32 {
  let planes = min(params.images * params.channels - first, 4);
  return (planes * params.pixels + 3) / 4;
}

// Which of the four planes the elements of vector i belong to.
fn planes_of(i: i32) -> vec4<i32> {
  let at = 4 * i + vec4<i32>(0, 1, 2, 3);
  let one = vec4<i32>(params.pixels);
  return vec4<i32>(at >= one) + vec4<i32>(at >= 2 * one) + vec4<i32>(at >= 3 * one);
}

fn pick(values: vec4<f32>, plane: vec4<i32>) -> vec4<f32> {
  let low = select(vec4<f32>(values.x), vec4<f32>(values.y), plane == vec4<i32>(1));
  let high = select(vec4<f32>(values.z), vec4<f32>(values.w), plane == vec4<i32>(3));
  return select(low, high, plane >= vec4<i32>(2));
}

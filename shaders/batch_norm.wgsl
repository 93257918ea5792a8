// The elementwise passes of batch norm with its activation, forward and backward.
// Expects WORKGROUP, shared/element.wgsl, shared/divide.wgsl and shared/batch_norm.wgsl.

struct Params {
  images: i32, channels: i32, pixels: i32,
  epsilon: f32,
  slope: f32,       // of the activation below zero
  run: i32,         // planes of an invocation, a multiple of four
  segments: i32,    // of four planes, each of which an invocation computes
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

// The channel's constants in the gradient: dx = scale · dv − constant − slope · (x − mean).
struct Backward { channel: Channel, constant: f32, slope: f32 }

fn backward_of(c: i32) -> Backward {
  let channel = channel_of(c);
  let share = channel.scale * params.share;
  return Backward(channel, share * sums[c], share * sums[params.channels + c] * channel.inverse);
}

fn backward(b: Backward, i: i32) -> f32 {
  let difference = x[i] - b.channel.mean;
  let v = b.channel.scale * difference + b.channel.offset;
  let dv = before_activation(vec4<f32>(v), vec4<f32>(dy[i])).x;
  return b.channel.scale * dv - b.constant - b.slope * difference;
}

fn channel_at(i: i32) -> i32 {
  return channel_of_plane(divide(i, params.pixels).quotient);
}

fn channel_of_plane(plane: i32) -> i32 {
  return divide(plane, params.channels).remainder;
}

// One invocation per element, for GPUs.
@compute @workgroup_size(WORKGROUP)
fn normalise_elements(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  if (i >= params.images * params.channels * params.pixels) { return; }
  let c = channel_of(channel_at(i));
  result[i] = activated(vec4<f32>(c.scale * (x[i] - c.mean) + c.offset)).x;
}

@compute @workgroup_size(WORKGROUP)
fn gradient_elements(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                     @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  if (i >= params.images * params.channels * params.pixels) { return; }
  result[i] = backward(backward_of(channel_at(i)), i);
}

// One invocation per run of planes, or per segment of four large planes, for software adapters. Processors prefetch one
// stream per page of memory, so a run is long enough for the lanes of a subgroup to read different pages.
@compute @workgroup_size(WORKGROUP)
fn normalise_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  let place = divide(i, params.segments);
  let first = place.quotient * params.run;
  let last = min(first + params.run, params.images * params.channels);
  for (var plane = first; plane < last; plane += 4) { normalise_four(plane, place.remainder); }
}

@compute @workgroup_size(WORKGROUP)
fn gradient_planes(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                   @builtin(local_invocation_index) l: u32) {
  let i = i32(element(w, n, l));
  let place = divide(i, params.segments);
  let first = place.quotient * params.run;
  let last = min(first + params.run, params.images * params.channels);
  for (var plane = first; plane < last; plane += 4) { gradient_four(plane, place.remainder); }
}

// Four planes begin at a multiple of four elements for any plane size. They can therefore be read and written by
// vectors, with the constants of their channels loaded once. Most vectors lie in one plane. Only vectors across two or
// more planes select the constants per element.
fn normalise_four(first: i32, segment: i32) {
  var scale: vec4<f32>;
  var mean: vec4<f32>;
  var offset: vec4<f32>;
  for (var j = 0u; j < 4u; j++) { // unroll
    let c = channel_of(channel_of_plane(first + i32(j)));
    scale[j] = c.scale;
    mean[j] = c.mean;
    offset[j] = c.offset;
  }
  let start = first / 4 * params.pixels;
  let length = divide(params.pixels + params.segments - 1, params.segments).quotient;
  let last = 4 * min((segment + 1) * length, params.pixels);
  var i = segment * length;
  for (var j = 0; j < planes_from(first); j++) {
    let end = min((j + 1) * params.pixels, last);
    let of_plane = vec3<f32>(scale[j], mean[j], offset[j]);
    for (; 4 * i + 4 <= end; i++) {
      result4[start + i] = activated(of_plane.x * (x4[start + i] - of_plane.y) + of_plane.z);
    }
    for (; 4 * i < end; i++) {
      result4[start + i] = activated(pick(scale, i) * (x4[start + i] - pick(mean, i)) + pick(offset, i));
    }
  }
}

fn gradient_four(first: i32, segment: i32) {
  var scale: vec4<f32>;
  var offset: vec4<f32>;
  var mean: vec4<f32>;
  var constant: vec4<f32>;
  var slope: vec4<f32>;
  for (var j = 0u; j < 4u; j++) { // unroll
    let b = backward_of(channel_of_plane(first + i32(j)));
    scale[j] = b.channel.scale;
    offset[j] = b.channel.offset;
    mean[j] = b.channel.mean;
    constant[j] = b.constant;
    slope[j] = b.slope;
  }
  let start = first / 4 * params.pixels;
  let length = divide(params.pixels + params.segments - 1, params.segments).quotient;
  let last = 4 * min((segment + 1) * length, params.pixels);
  var i = segment * length;
  for (var j = 0; j < planes_from(first); j++) {
    let end = min((j + 1) * params.pixels, last);
    let of_plane = Fours(vec4(scale[j]), vec4(offset[j]), vec4(mean[j]), vec4(constant[j]), vec4(slope[j]));
    for (; 4 * i + 4 <= end; i++) { result4[start + i] = backward_of_four(of_plane, start + i); }
    for (; 4 * i < end; i++) {
      let each = Fours(pick(scale, i), pick(offset, i), pick(mean, i), pick(constant, i), pick(slope, i));
      result4[start + i] = backward_of_four(each, start + i);
    }
  }
}

// The values of `Backward` for each of four elements.
struct Fours { scale: vec4<f32>, offset: vec4<f32>, mean: vec4<f32>, constant: vec4<f32>, slope: vec4<f32> }

fn backward_of_four(f: Fours, i: i32) -> vec4<f32> {
  let difference = x4[i] - f.mean;
  let dv = before_activation(f.scale * difference + f.offset, dy4[i]);
  return f.scale * dv - f.constant - f.slope * difference;
}

// The number of existing planes, up to four, from plane `first` on.
fn planes_from(first: i32) -> i32 { return min(params.images * params.channels - first, 4); }

// For each element of vector i of the four planes, the value of its plane.
fn pick(values: vec4<f32>, i: i32) -> vec4<f32> {
  let at = 4 * i + vec4<i32>(0, 1, 2, 3);
  var picked = vec4<f32>(values.x);
  for (var j = 1; j < 4; j++) { picked = select(picked, vec4<f32>(values[j]), at >= vec4<i32>(j * params.pixels)); }
  return picked;
}

// Two sums over all pixels of each channel of [N, C, pixels]. An entry point, here or in channel_sums_subgroup.wgsl,
// computes partial sums, for parts that are runs of the pixels of the batch. The including file computes results from
// the partial sums. A file that needs a single sum leaves the other sum at zero. Expects WORKGROUP, NEIGHBOURS, WHOLE, shared/grid.wgsl,
// shared/divide.wgsl, and
//   sums       var<storage, read_write> of vec2<f32>, [parts, C]
//   parts      var<storage, read>, the same memory, for the dispatch that computes the results
//   params     with images, channels, pixels, parts: i32
//   fn constants_of(c: i32, samples: vec3<i32>) -> Channel   constants of channel c in a part, of which three elements
//                                                  are given by their indices
//   Values, fn value_at(i: i32) -> Values          operands at element i, repeated four times
//   fn values_at(i: i32) -> Values                 operands at the four elements from 4·i on
//   fn terms(c: Channel, v: Values) -> Terms       terms of the two sums

struct Terms { first: vec4<f32>, second: vec4<f32> }

// The pixels `first .. last` of the batch in one channel. `first` is a multiple of four, unless the run is empty.
struct Run { channel: i32, first: i32, last: i32 }

fn run_of(i: i32) -> Run {
  let place = divide(i, params.channels);
  let part = place.quotient;
  let total = params.images * params.pixels;
  let length = 4 * divide(total + 4 * params.parts - 1, 4 * params.parts).quotient;
  return Run(place.remainder, min(part * length, total), min((part + 1) * length, total));
}

// The first, a middle and the last element of a run. For an empty run, which the last parts may be, elements before it.
fn samples_of(run: Run) -> vec3<i32> {
  let last = run.last - 1;
  let first = min(run.first, last);
  return vec3<i32>(element_at(run.channel, first), element_at(run.channel, (first + last) / 2), element_at(run.channel, last));
}

// The element of pixel i of the batch in a channel.
fn element_at(channel: i32, i: i32) -> i32 {
  let at = divide(i, params.pixels);
  return (at.quotient * params.channels + channel) * params.pixels + at.remainder;
}

// One invocation per part of NEIGHBOURS channels (1 or 4), for software adapters. There a load costs the same at any
// address, and loading a vector costs little more than loading a number. Four adjacent planes are a longer stream of
// memory than one plane. Their sums take long enough that reloading the channels for each image costs little.
@compute @workgroup_size(WORKGROUP)
fn sum_runs(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let neighbours = i32(NEIGHBOURS);
  let i = neighbours * i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (i >= params.channels * params.parts) { return; }
  let run = run_of(i);
  let samples = samples_of(run);
  var channel = constants_of(run.channel, samples);
  // Arrays: a compiler of DirectX 12 (FXC) stores to no component of a vector by a computed index.
  var first: array<f32, NEIGHBOURS>;
  var second: array<f32, NEIGHBOURS>;
  var element = samples.x;
  var pixel = divide(element, params.pixels).remainder;
  var left = run.last - run.first;
  while (left > 0) {
    let count = min(params.pixels - pixel, left);
    for (var k = 0; k < neighbours; k++) {
      if (neighbours > 1) { channel = constants_of(run.channel + k, samples + k * params.pixels); }
      let more = sum_of(channel, element + k * params.pixels, count);
      first[k] += more.x;
      second[k] += more.y;
    }
    left -= count;
    element += params.channels * params.pixels - pixel;
    pixel = 0;
  }
  for (var k = 0; k < neighbours; k++) { sums[i + k] = vec2<f32>(first[k], second[k]); }
}

// The sums over `count` elements from element `first` on. The run may begin and end anywhere in a vector, unless planes
// are WHOLE vectors.
fn sum_of(c: Channel, first: i32, count: i32) -> vec2<f32> {
  let last = first + count;
  let zero = vec4<f32>(0.0);
  var sum = Terms(zero, zero);
  for (var j = first / 4; 4 * j < last; j++) {
    let at = 4 * j + vec4<i32>(0, 1, 2, 3);
    let inside = vec4<bool>(WHOLE) | ((at >= vec4<i32>(first)) & (at < vec4<i32>(last)));
    let more = terms(c, values_at(j));
    sum.first += select(zero, more.first, inside);
    sum.second += select(zero, more.second, inside);
  }
  let one = vec4<f32>(1.0);
  return vec2<f32>(dot(sum.first, one), dot(sum.second, one));
}

// The partial sums of one invocation. For GPUs, with one workgroup per channel and part.
fn sum_of_invocation(group: i32, l: u32) -> vec2<f32> {
  let run = run_of(group);
  var sum = vec2<f32>(0.0);
  let shared_by_all = constants_of(run.channel, samples_of(run));
  for (var j = run.first + i32(l); j < run.last; j += i32(WORKGROUP)) {
    let more = terms(shared_by_all, value_at(element_at(run.channel, j)));
    sum += vec2<f32>(more.first.x, more.second.x);
  }
  return sum;
}

var<workgroup> shared_sums: array<vec2<f32>, WORKGROUP>;

// Tree reduction of the invocations' sums in workgroup memory.
@compute @workgroup_size(WORKGROUP)
fn sum_pixels(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let group = i32(linear_workgroup(w, n));
  if (group >= params.channels * params.parts) { return; }
  shared_sums[l] = sum_of_invocation(group, l);
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (l < half) { shared_sums[l] += shared_sums[l + half]; }
  }
  if (l == 0u) { sums[group] = shared_sums[0]; }
}

// The sums over all parts of a channel, in a fixed order.
fn sum_of_channel(channel: i32) -> vec2<f32> {
  var sum = vec2<f32>(0.0);
  for (var part = 0; part < params.parts; part++) { sum += parts[part * params.channels + channel]; }
  return sum;
}

// Two sums over all pixels of each channel of [N, C, pixels]: partial sums in one of two ways, added up by the file that
// includes this. Expects WORKGROUP, shared/grid.wgsl, shared/divide.wgsl, and
//   sums       var<storage, read_write> of vec2<f32>, [parts, C]
//   params     with images, channels, pixels, parts: i32
//   fn channel_of(c: i32) -> Channel               what all elements of a channel share
//   struct Values, fn value_at(i: i32) -> Values   what is summed over, of element i four times
//   fn values_at(i: i32) -> Values                 of the four elements from 4·i on
//   fn terms(c: Channel, v: Values) -> Terms       what those add

struct Terms { first: vec4<f32>, second: vec4<f32> }

// One invocation a channel and part, a part being every parts-th image: for software adapters, where a load costs the
// same at any address, and a vector little more than a number. A plane begins and ends anywhere in a vector.
@compute @workgroup_size(WORKGROUP)
fn sum_images(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let i = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (i >= params.channels * params.parts) { return; }
  let part = i / params.channels;
  let channel = i - part * params.channels;
  let shared_by_all = channel_of(channel);
  let zero = vec4<f32>(0.0);
  var sum = vec2<f32>(0.0);
  for (var image = part; image < params.images; image += params.parts) {
    let first = (image * params.channels + channel) * params.pixels;
    let last = first + params.pixels;
    var plane = Terms(zero, zero);
    for (var j = first / 4; 4 * j < last; j++) {
      let at = 4 * j + vec4<i32>(0, 1, 2, 3);
      let inside = (at >= vec4<i32>(first)) & (at < vec4<i32>(last));
      let more = terms(shared_by_all, values_at(j));
      plane.first += select(zero, more.first, inside);
      plane.second += select(zero, more.second, inside);
    }
    let one = vec4<f32>(1.0);
    sum += vec2<f32>(dot(plane.first, one), dot(plane.second, one));
  }
  sums[i] = sum;
}

// One workgroup a channel and part, a part being a run of all pixels of the batch: for GPUs.
fn sum_of_invocation(group: i32, l: u32) -> vec2<f32> {
  let part = group / params.channels;
  let channel = group - part * params.channels;
  let total = params.images * params.pixels;
  let length = (total + params.parts - 1) / params.parts;
  let last = min((part + 1) * length, total);
  let inverse = 1.0 / f32(params.pixels);
  let shared_by_all = channel_of(channel);
  var sum = vec2<f32>(0.0);
  for (var j = part * length + i32(l); j < last; j += i32(WORKGROUP)) {
    let at = divide(j, params.pixels, inverse);
    let more = terms(shared_by_all, value_at((at.quotient * params.channels + channel) * params.pixels + at.remainder));
    sum += vec2<f32>(more.first.x, more.second.x);
  }
  return sum;
}

var<workgroup> shared_sums: array<vec2<f32>, WORKGROUP>;

// The invocations' sums meet in workgroup memory, half of them at a time.
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

// They meet in the subgroup's registers, whatever its size, and the subgroups' sums in workgroup memory.
@compute @workgroup_size(WORKGROUP)
fn sum_pixels_by_subgroups(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                           @builtin(local_invocation_index) l: u32, @builtin(subgroup_id) subgroup: u32,
                           @builtin(num_subgroups) subgroups: u32) {
  let group = i32(linear_workgroup(w, n));
  if (group >= params.channels * params.parts) { return; }
  shared_sums[subgroup] = subgroupAdd(sum_of_invocation(group, l));
  workgroupBarrier();
  if (l == 0u) {
    var sum = vec2<f32>(0.0);
    for (var i = 0u; i < subgroups; i++) { sum += shared_sums[i]; }
    sums[group] = sum;
  }
}

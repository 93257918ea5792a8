// Two sums over all pixels of each channel of [N, C, pixels]: partial sums in one of two ways, added up by the file that
// includes this. Expects WORKGROUP, shared/grid.wgsl, shared/divide.wgsl, and
//   sums       var<storage, read_write> of vec2<f32>, [parts, C]
//   params     with images, channels, pixels, parts: i32
//   fn channel_of(c: i32) -> Channel               what all elements of a channel share
//   fn terms(c: Channel, i: i32) -> vec2<f32>      what element i of that channel adds

// One invocation a channel and part, a part being every parts-th image: for software adapters, where a load costs the
// same at any address.
@compute @workgroup_size(WORKGROUP)
fn sum_images(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let i = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (i >= params.channels * params.parts) { return; }
  let part = i / params.channels;
  let channel = i - part * params.channels;
  let shared_by_all = channel_of(channel);
  var sum = vec2<f32>(0.0);
  for (var image = part; image < params.images; image += params.parts) {
    let first = (image * params.channels + channel) * params.pixels;
    var plane = vec2<f32>(0.0);
    // Four at a time, since a turn of a loop costs as much as a load.
    var j = 0;
    for (; j + 4 <= params.pixels; j += 4) {
      let i = first + j;
      plane += terms(shared_by_all, i) + terms(shared_by_all, i + 1) + terms(shared_by_all, i + 2) + terms(shared_by_all, i + 3);
    }
    for (; j < params.pixels; j++) { plane += terms(shared_by_all, first + j); }
    sum += plane;
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
    sum += terms(shared_by_all, (at.quotient * params.channels + channel) * params.pixels + at.remainder);
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

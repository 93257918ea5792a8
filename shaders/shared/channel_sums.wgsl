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
    for (var j = 0; j < params.pixels; j++) { plane += terms(shared_by_all, first + j); }
    sum += plane;
  }
  sums[i] = sum;
}

var<workgroup> shared_sums: array<vec2<f32>, WORKGROUP>;

// One workgroup a channel and part, a part being a run of all pixels of the batch: for GPUs.
@compute @workgroup_size(WORKGROUP)
fn sum_pixels(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
              @builtin(local_invocation_index) l: u32) {
  let group = i32(linear_workgroup(w, n));
  if (group >= params.channels * params.parts) { return; }
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
  shared_sums[l] = sum;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (l < half) { shared_sums[l] += shared_sums[l + half]; }
  }
  if (l == 0u) { sums[group] = shared_sums[0]; }
}

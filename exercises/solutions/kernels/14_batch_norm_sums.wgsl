// A variance does not change if all numbers move by the same distance, and near zero the squares cancel nothing. The engine takes
// an origin for each part of a channel.

struct Params { images: u32, channels: u32, pixels: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<vec2<f32>, 64>;

@compute @workgroup_size(64)
fn batch_norm_sums(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let channel = w.x;
  let count = params.images * params.pixels;
  let origin = x[channel * params.pixels];   // any number near the mean
  var sum = vec2<f32>(0.0);
  for (var i = local; i < count; i += 64u) {
    let image = i / params.pixels;
    let value = x[(image * params.channels + channel) * params.pixels + i % params.pixels] - origin;
    sum += vec2<f32>(value, value * value);
  }
  sums[local] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  if (local == 0u) {
    let mean = sums[0].x / f32(count);
    statistics[channel] = origin + mean;
    statistics[params.channels + channel] = sums[0].y / f32(count) - mean * mean;
  }
}

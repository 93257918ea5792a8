// Mean and biased variance per channel. The summed terms are differences from the channel's first element, so that a
// mean far from zero costs no precision. Expects WORKGROUP and shared/channel_sums.wgsl.

struct Params { images: i32, channels: i32, pixels: i32, parts: i32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> origin: array<f32>;  // x, for the first element of each channel
@group(0) @binding(6) var<uniform> params: Params;

struct Channel { first: f32 }

fn channel_of(c: i32) -> Channel { return Channel(origin[c * params.pixels]); }

struct Values { x: vec4<f32> }

fn value_at(i: i32) -> Values { return Values(vec4<f32>(x[i])); }

fn values_at(i: i32) -> Values { return Values(x4[i]); }

fn terms(c: Channel, v: Values) -> Terms {
  let d = v.x - c.first;
  return Terms(d, d * d);
}

@compute @workgroup_size(WORKGROUP)
fn statistics_of_sums(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let channel = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (channel >= params.channels) { return; }
  let mean = sum_of_channel(channel) / f32(params.images * params.pixels);
  statistics[channel] = origin[channel * params.pixels] + mean.x;
  statistics[params.channels + channel] = max(mean.y - mean.x * mean.x, 0.0);
}

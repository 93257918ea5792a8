// Mean and biased variance per channel. Each part sums differences from an origin of its own, so that a mean far from
// zero costs no precision. The parts are merged as in Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm
// for computing sample variances" (1979). Expects WORKGROUP and shared/channel_sums.wgsl.

struct Params { images: i32, channels: i32, pixels: i32, parts: i32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> origin: array<f32>;  // x, for single elements
@group(0) @binding(6) var<uniform> params: Params;

struct Channel { origin: f32 }

// The origin is the median of three elements of the part, so that a single outlier is not the origin.
fn constants_of(c: i32, samples: vec3<i32>) -> Channel {
  let x = vec3<f32>(origin[samples.x], origin[samples.y], origin[samples.z]);
  return Channel(max(min(x.x, x.y), min(max(x.x, x.y), x.z)));
}

struct Values { x: vec4<f32> }

fn value_at(i: i32) -> Values { return Values(vec4<f32>(x[i])); }

fn values_at(i: i32) -> Values { return Values(x4[i]); }

fn terms(c: Channel, v: Values) -> Terms {
  let d = v.x - c.origin;
  return Terms(d, d * d);
}

@compute @workgroup_size(WORKGROUP)
fn statistics_of_sums(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                      @builtin(local_invocation_index) l: u32) {
  let channel = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (channel >= params.channels) { return; }
  // Means are relative to the channel's first element.
  let first = origin[channel * params.pixels];
  var count = 0.0;
  var mean = 0.0;
  var squares = 0.0;
  for (var part = 0; part < params.parts; part++) {
    let i = part * params.channels + channel;
    let run = run_of(i);
    if (run.first >= run.last) { break; }
    let more = f32(run.last - run.first);
    let sum = parts[i];
    let difference = constants_of(channel, samples_of(run)).origin - first + sum.x / more - mean;
    let share = more / (count + more);
    squares += max(sum.y - sum.x * sum.x / more, 0.0) + difference * difference * count * share;
    mean += difference * share;
    count += more;
  }
  statistics[channel] = first + mean;
  statistics[params.channels + channel] = squares / count;
}

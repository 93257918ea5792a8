// Σ dv and Σ dv·x̂ per channel, where v is the value before the activation. The sums are the gradients of β and γ, and
// inputs to the gradient of x. Expects WORKGROUP, shared/channel_sums.wgsl and shared/batch_norm.wgsl.

struct Params { images: i32, channels: i32, pixels: i32, parts: i32, epsilon: f32, slope: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<f32>;
@group(0) @binding(6) var<storage, read> beta: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(9) var<storage, read_write> result: array<f32>;
@group(0) @binding(10) var<uniform> params: Params;

fn constants_of(c: i32, samples: vec3<i32>) -> Channel { return channel_of(c); }

struct Values { x: vec4<f32>, dy: vec4<f32> }

fn value_at(i: i32) -> Values { return Values(vec4<f32>(x[i]), vec4<f32>(dy[i])); }

fn values_at(i: i32) -> Values { return Values(x4[i], dy4[i]); }

fn terms(c: Channel, v: Values) -> Terms {
  let dv = before_activation(c.scale * (v.x - c.mean) + c.offset, v.dy);
  return Terms(dv, dv * (v.x - c.mean));
}

@compute @workgroup_size(WORKGROUP)
fn gradient_of_sums(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                    @builtin(local_invocation_index) l: u32) {
  let channel = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (channel >= params.channels) { return; }
  let sum = sum_of_channel(channel);
  result[channel] = sum.x;
  result[params.channels + channel] = sum.y / sqrt(statistics[params.channels + channel] + params.epsilon);
}

// Shared part of reductions to one number per channel. Expects WORKGROUP and shared/channel_sums.wgsl.

struct Params { images: i32, channels: i32, pixels: i32, parts: i32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> parts: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

alias Channel = i32;

fn constants_of(c: i32, samples: vec3<i32>) -> Channel { return c; }

@compute @workgroup_size(WORKGROUP)
fn sum_of_parts(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                @builtin(local_invocation_index) l: u32) {
  let channel = i32(linear_workgroup(w, n) * WORKGROUP + l);
  if (channel < params.channels) { y[channel] = params.scale * sum_of_channel(channel).x; }
}

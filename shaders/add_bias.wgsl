// y[n, c, pixel] += bias[c], one invocation per four elements.
// Expects WORKGROUP, shared/element.wgsl and shared/divide.wgsl.

struct Params { quads: u32, pixels: i32, channels: i32 }

@group(0) @binding(0) var<storage, read> bias: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn add_bias(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let first = 4 * i32(i);
  var four = vec4<f32>(bias_of(first));
  // Planes that are no whole vectors share some.
  if ((params.pixels & 3) != 0) { four = vec4<f32>(four.x, bias_of(first + 1), bias_of(first + 2), bias_of(first + 3)); }
  y[i] += four;
}

fn bias_of(i: i32) -> f32 {
  let plane = divide(i, params.pixels).quotient;
  return bias[divide(plane, params.channels).remainder];
}

// Peak measurements for the roofline: multiply-adds without memory traffic, and copies without arithmetic.
// Expects WORKGROUP, ROUNDS and shared/element.wgsl.

struct Params { elements: u32, factor: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

// Twelve independent sums hide the latency of the multiply-add; 8 · 12 · ROUNDS multiply-adds per invocation.
@compute @workgroup_size(WORKGROUP)
fn multiply_add(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let f = params.factor;
  let start = f32(i);
  var s: array<f32, 12>;
  for (var j = 0u; j < 12u; j++) { // unroll
    s[j] = start + f32(j);
  }
  for (var round = 0u; round < ROUNDS; round++) {
    for (var repeat = 0u; repeat < 8u; repeat++) { // unroll
      for (var j = 0u; j < 12u; j++) { // unroll
        s[j] = fma(s[j], f, f);
      }
    }
  }
  var sum = 0.0;
  for (var j = 0u; j < 12u; j++) { // unroll
    sum += s[j];
  }
  y[i] = sum;
}

@compute @workgroup_size(WORKGROUP)
fn copy(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
        @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i < params.elements) { y4[i] = x4[i]; }
}

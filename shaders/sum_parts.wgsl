// y[i] = Σ parts[part · elements + i], in order of the parts, one invocation per element.
// Expects WORKGROUP and shared/element.wgsl.

struct Params { elements: u32, parts: u32 }

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn sum_parts(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
             @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  var sum = 0.0;
  for (var part = 0u; part < params.parts; part++) { sum += parts[part * params.elements + i]; }
  y[i] = sum;
}

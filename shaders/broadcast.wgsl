// y[i] = x[(i / run) mod count]: each element of x fills a run, and the sequence of runs repeats.
// Expects WORKGROUP, shared/element.wgsl and shared/divide.wgsl.

struct Params { elements: u32, run: u32, count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn broadcast(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
             @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let run = divide(i32(i), i32(params.run)).quotient;
  y[i] = x[divide(run, i32(params.count)).remainder];
}

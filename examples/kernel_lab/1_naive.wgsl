// Step 1: one invocation per element of C.
//
// The kernel is a direct translation of the formula C[m, n] = Σₖ A[m, k]·B[k, n]. Neighbouring invocations compute
// neighbouring columns, so a GPU merges their loads of B into one wide access, and their loads of A into a single load.
// But every multiply-add needs two loads, and no adapter loads as fast as it multiplies. The kernel is limited by its
// loads.

struct Params { rows: u32, columns: u32, steps: u32 }   // M, N, K

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = group.x * 64u + local;
  let m = i / params.columns;
  let n = i % params.columns;
  var sum = 0.0;
  for (var k = 0u; k < params.steps; k++) { sum += a[m * params.steps + k] * b[k * params.columns + n]; }
  c[i] = sum;
}

// The first barrier orders the partial sums, those of later turns the sums of the turn before. After the last turn invocation 0
// reads what it has written itself.

struct Params { columns: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn reduction(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = w.x;
  var sum = 0.0;
  for (var k = local; k < params.columns; k += 64u) { sum += x[row * params.columns + k]; }
  sums[local] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  if (local == 0u) { y[row] = sums[0]; }
}

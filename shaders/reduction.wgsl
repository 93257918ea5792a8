// Sums over parts of a tensor, and the converse. An invocation adds a few dozen elements, strided so that neighbours
// read neighbours; long sums take several dispatches. No workgroup memory, and an order that never changes.
// Expects WORKGROUP and shared/element.wgsl.

struct Params {
  elements: u32,   // of y
  parts: u32,      // into which each row is divided
  inner: u32,      // elements of a row
  row: u32,        // from one row to the next
  step: u32,       // from one element of a row to the next
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// y[row, part] = scale · Σ x[row, part + j · parts], four at a time: a turn of a loop may cost as much as a load.
@compute @workgroup_size(WORKGROUP)
fn sum_part(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
            @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let first = i / params.parts * params.row;
  let stride = params.parts * params.step;
  var j = i % params.parts;
  var sum = 0.0;
  for (; j + 3u * params.parts < params.inner; j += 4u * params.parts) {
    let at = first + j * params.step;
    sum += x[at] + x[at + stride] + x[at + 2u * stride] + x[at + 3u * stride];
  }
  for (; j < params.inner; j += params.parts) { sum += x[first + j * params.step]; }
  y[i] = params.scale * sum;
}

// The same of (x − b)², without storing the differences.
@compute @workgroup_size(WORKGROUP)
fn sum_squares(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
               @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let first = i / params.parts * params.row;
  var sum = 0.0;
  for (var j = i % params.parts; j < params.inner; j += params.parts) {
    let d = x[first + j * params.step] - b[first + j * params.step];
    sum += d * d;
  }
  y[i] = params.scale * sum;
}

// The same of |x − b|.
@compute @workgroup_size(WORKGROUP)
fn sum_absolute(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.elements) { return; }
  let first = i / params.parts * params.row;
  var sum = 0.0;
  for (var j = i % params.parts; j < params.inner; j += params.parts) {
    sum += abs(x[first + j * params.step] - b[first + j * params.step]);
  }
  y[i] = params.scale * sum;
}

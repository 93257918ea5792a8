// Puzzle 2: guard.
//
// y[i] = max(x[i], 0) for i < count. There are as many workgroups of 64 as cover all elements, so the last one may have more
// invocations than elements are left. This kernel forgets that.
//
// x, y           `count` elements each
// params.count   their number, from 1 on
//
// In the engine: the comparison with params.quads in shaders/shared/elementwise_1.wgsl.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn guard(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 64u + local;
  y[i] = max(x[i], 0.0);
}

// The invocations change their elements at the barrier: what one loads, another stores.

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> tile: array<array<f32, 16>, 16>;

@compute @workgroup_size(16, 16)
fn transpose(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let across = (params.columns + 15u) / 16u;      // tiles in a row
  let row = w.x / across * 16u;                   // of the tile
  let column = w.x % across * 16u;
  let r = row + local.y;
  let c = column + local.x;
  if (r < params.rows && c < params.columns) { tile[local.y][local.x] = x[r * params.columns + c]; }
  workgroupBarrier();
  let to_row = column + local.y;
  let to_column = row + local.x;
  if (to_row < params.columns && to_column < params.rows) {
    y[to_row * params.rows + to_column] = tile[local.x][local.y];
  }
}

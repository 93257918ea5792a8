// Packs the operand A for product_subgroup into panels of ROWS rows. Within a panel the rows of one step of the inner
// axis are contiguous. Elements outside A are zero. Packing costs two accesses per element, and saves most loads of a
// tile. An invocation packs STRIP quadruples of rows of one step.
// Expects ROWS, WORKGROUP, shared/element.wgsl, shared/divide.wgsl and shared/product.wgsl.

const QUADS = ROWS / 4u;
const STRIP = min(QUADS, 4u);
const STRIPS = QUADS / STRIP;

@group(0) @binding(5) var<storage, read_write> panels: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn product_pack(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.problems * params.parts * params.tile_rows * params.steps * STRIPS) { return; }
  let step = divide(i32(i / STRIPS), i32(params.steps));
  let panel = divide(step.quotient, i32(params.tile_rows));
  let place = place_of(u32(panel.quotient));
  let p = problem(place.quotient);
  let part = part_of(p, place.remainder);
  let s = slice_at(p, part, part.first + step.remainder);
  let first = i % STRIPS * STRIP;
  for (var quad = 0u; quad < STRIP; quad++) {
    let row = panel.remainder * i32(ROWS) + 4 * i32(first + quad);
    panels[i * STRIP + quad] = vec4<f32>(a_at(p, row, s), a_at(p, row + 1, s), a_at(p, row + 2, s), a_at(p, row + 3, s));
  }
}

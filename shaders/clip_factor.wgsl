// y = min(1, c0/√x), for x ≥ 0. NaN stays NaN, and ∞ stays ∞.
fn formula_1(x: vec4<f32>) -> vec4<f32> {
  let clipped = select(params.c0 / sqrt(x), x, x > vec4<f32>(0x1.fffffep+127f));
  return select(clipped, vec4<f32>(1.0), x <= vec4<f32>(params.c0 * params.c0));
}

// y = min(1, c0/√x), for x ≥ 0. A NaN stays a NaN.
fn formula_1(x: vec4<f32>) -> vec4<f32> {
  return select(params.c0 / sqrt(x), vec4<f32>(1.0), x <= vec4<f32>(params.c0 * params.c0));
}

// y = 1/(1 + e⁻ˣ), computed from e^−|x|, which cannot overflow.
fn formula_1(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-abs(x));
  return select(1.0 / (1.0 + e), e / (1.0 + e), x < vec4<f32>(0.0));
}

// ∂L/∂x from y and g = ∂L/∂y
fn formula_2(y: vec4<f32>, g: vec4<f32>) -> vec4<f32> { return g * y * (1.0 - y); }

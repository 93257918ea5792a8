// y = tanh x. Some drivers compute it from exp(2x), which overflows for large x and cancels for small x. Beyond 15 the
// result is ±1 in f32. Below a quarter the Taylor series up to x⁹ is exact to 1e-8 of the result.
fn formula_1(x: vec4<f32>) -> vec4<f32> {
  let magnitude = abs(x);
  let s = x * x;
  let series = x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
  let saturated = select(tanh(x), sign(x), magnitude > vec4<f32>(15.0));
  return select(saturated, series, magnitude < vec4<f32>(0.25));
}

// ∂L/∂x from y and g = ∂L/∂y
fn formula_2(y: vec4<f32>, g: vec4<f32>) -> vec4<f32> { return g * (1.0 - y * y); }

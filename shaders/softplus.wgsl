// y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which cannot overflow. The sum 1 + e loses a small e, so that ln(1 + e) is
// its Taylor series there, exact to 1e-8 of the result.
fn formula_1(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-abs(x));
  let series = e * (1.0 + e * (-1.0 / 2.0 + e * (1.0 / 3.0 - e * (1.0 / 4.0))));
  return max(x, vec4<f32>(0.0)) + select(log(1.0 + e), series, e < vec4<f32>(0.01));
}

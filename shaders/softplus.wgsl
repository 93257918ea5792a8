// y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which cannot overflow.
fn formula_1(x: vec4<f32>) -> vec4<f32> { return max(x, vec4<f32>(0.0)) + log(1.0 + exp(-abs(x))); }

// y = x where x > 0, else c0·x, with the slope c0. A NaN stays a NaN.
fn formula_1(x: vec4<f32>) -> vec4<f32> { return select(x, sloped(x), x < vec4<f32>(0.0)); }

// ∂L/∂x from y and g = ∂L/∂y
fn formula_2(y: vec4<f32>, g: vec4<f32>) -> vec4<f32> { return select(sloped(g), g, y > vec4<f32>(0.0)); }

// c0·x, where the slope 0 gives 0 for infinities too.
fn sloped(x: vec4<f32>) -> vec4<f32> { return select(params.c0 * x, vec4<f32>(0.0), params.c0 == 0.0); }

// y = √x
fn formula_1(x: vec4<f32>) -> vec4<f32> { return sqrt(x); }

// ∂L/∂x from y and g = ∂L/∂y
fn formula_2(y: vec4<f32>, g: vec4<f32>) -> vec4<f32> { return g * (0.5 / y); }

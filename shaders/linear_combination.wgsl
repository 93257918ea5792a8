// y = c0·x0 + c1·x1 + …, with one to four terms.
fn formula_1(x0: vec4<f32>) -> vec4<f32> { return params.c0 * x0; }

fn formula_2(x0: vec4<f32>, x1: vec4<f32>) -> vec4<f32> { return params.c0 * x0 + params.c1 * x1; }

fn formula_3(x0: vec4<f32>, x1: vec4<f32>, x2: vec4<f32>) -> vec4<f32> {
  return params.c0 * x0 + params.c1 * x1 + params.c2 * x2;
}

fn formula_4(x0: vec4<f32>, x1: vec4<f32>, x2: vec4<f32>, x3: vec4<f32>) -> vec4<f32> {
  return params.c0 * x0 + params.c1 * x1 + params.c2 * x2 + params.c3 * x3;
}

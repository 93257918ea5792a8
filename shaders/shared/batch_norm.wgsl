// The constants of a channel, for batch norm and its gradient.
// Expects the bindings `statistics`, `gamma` and `beta`, and
//   params     with channels: i32, epsilon, slope: f32

// x̂ = (x − mean) · inverse. The value before the activation is scale · x + shift.
struct Channel { mean: f32, inverse: f32, scale: f32, shift: f32 }

fn channel_of(c: i32) -> Channel {
  let mean = statistics[c];
  let inverse = 1.0 / sqrt(statistics[params.channels + c] + params.epsilon);
  let scale = gamma[c] * inverse;
  return Channel(mean, inverse, scale, beta[c] - scale * mean);
}

// The output from the value v before the activation. A NaN stays a NaN.
fn activated(v: vec4<f32>) -> vec4<f32> { return select(v, sloped(v), v < vec4<f32>(0.0)); }

// The gradient of the value v before the activation, from the gradient dy of the output.
fn before_activation(v: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
  return select(sloped(dy), dy, v > vec4<f32>(0.0));
}

// slope·x, where the slope 0 gives 0 for infinities too.
fn sloped(x: vec4<f32>) -> vec4<f32> { return select(params.slope * x, vec4<f32>(0.0), params.slope == 0.0); }

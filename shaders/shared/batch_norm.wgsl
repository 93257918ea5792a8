// What batch norm and its gradient know of a channel. Expects the bindings `statistics`, `gamma` and `beta`, and
//   params     with channels: i32, epsilon, slope: f32

// x̂ = (x − mean) · inverse, the output before its activation being scale · x + shift.
struct Channel { mean: f32, inverse: f32, scale: f32, shift: f32 }

fn channel_of(c: i32) -> Channel {
  let mean = statistics[c];
  let inverse = 1.0 / sqrt(statistics[params.channels + c] + params.epsilon);
  let scale = gamma[c] * inverse;
  return Channel(mean, inverse, scale, beta[c] - scale * mean);
}

// The output, from what it is before its activation. Written so that a NaN stays one.
fn activated(v: vec4<f32>) -> vec4<f32> { return select(v, params.slope * v, v < vec4<f32>(0.0)); }

// The gradient before the activation, from that behind it.
fn before_activation(v: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
  return select(params.slope * dy, dy, v > vec4<f32>(0.0));
}

// Σ (x − b)² or Σ |x − b|, without storing the differences. Expects SQUARED and shared/one_sum.wgsl.

alias Values = vec4<f32>;

fn value_at(i: i32) -> Values { return vec4<f32>(x[i] - b[i]); }

fn values_at(i: i32) -> Values { return x4[i] - b4[i]; }

fn terms(c: Channel, difference: Values) -> Terms {
  if (SQUARED) { return Terms(difference * difference, vec4<f32>(0.0)); }
  return Terms(abs(difference), vec4<f32>(0.0));
}

// Σ x. Expects shared/one_sum.wgsl.

alias Values = vec4<f32>;

fn value_at(i: i32) -> Values { return vec4<f32>(x[i]); }

fn values_at(i: i32) -> Values { return x4[i]; }

fn terms(c: Channel, v: Values) -> Terms { return Terms(v, vec4<f32>(0.0)); }

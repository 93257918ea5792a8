// Division of indices. Expects nothing.

struct Division { quotient: i32, remainder: i32 }

// n / d for n >= 0, d > 0, given inverse = 1 / f32(d). Integer division is slow everywhere, and very slow on software
// adapters. For quotients below 2^22 the estimate is off by at most one, which the remainder shows.
fn divide(n: i32, d: i32, inverse: f32) -> Division {
  let estimate = i32(f32(n) * inverse);
  let rest = n - estimate * d;
  let low = i32(rest >= d);
  let high = i32(rest < 0);
  return Division(estimate + low - high, rest + (high - low) * d);
}

// Division of indices. Expects nothing.

struct Division { quotient: i32, remainder: i32 }

// n / d for n >= 0, d > 0, given inverse = 1 / f32(d). Integer division is slow everywhere, and very slow on software
// adapters. The estimate is off by up to n/d · 2^-22 + 1, so that the quotient of the rest is off by at most one, which
// the remainder shows.
fn divide(n: i32, d: i32, inverse: f32) -> Division {
  let estimate = i32(f32(n) * inverse);
  let rest = n - estimate * d;
  let more = i32(floor(f32(rest) * inverse));
  let remainder = rest - more * d;
  let low = i32(remainder >= d);
  let high = i32(remainder < 0);
  return Division(estimate + more + low - high, remainder + (high - low) * d);
}

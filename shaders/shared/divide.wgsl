// Division of indices. Expects nothing.

struct Division { quotient: i32, remainder: i32 }

// n / d for 0 <= n < 2³⁰, d > 0. Integer division is slow everywhere. Software adapters divide lane by lane, and convert
// floating-point numbers to integers lane by lane. So a sum with a power of two moves the integer part of the quotient into
// the last bits of the sum.
//
// The estimate is rounded to a multiple of 256 and is off by at most 256 + n/d · 2⁻²¹. The quotient of the rest is then off by
// at most one, which the remainder shows.
fn divide(n: i32, d: i32) -> Division {
  let inverse = 1.0 / f32(d);
  let estimate = bitcast<i32>(f32(n) * inverse + 0x1p31f) << 8u;
  let rest = n - estimate * d;
  let more = bitcast<i32>(f32(rest) * inverse + 0x1.8p23f) - 0x4b400000;
  let remainder = rest - more * d;
  let low = i32(remainder >= d);
  let high = i32(remainder < 0);
  return Division(estimate + more + low - high, remainder + (high - low) * d);
}

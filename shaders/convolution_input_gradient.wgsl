// big = weightᵀ ∗ small: the input gradient of a convolution, and the forward pass of a transposed convolution. Pixels
// of the big image use the same taps if their padded rows and columns have the same remainders modulo the stride. The
// stride² remainders are separate problems, which multiply no zeros between the pixels of a dilated small image.
// Rows are channels C, columns the pixels of one remainder, the inner axis is (o, taps of the remainder).
// a = weight, b = small, c = big.

fn problem(z: i32) -> Problem {
  let rest = by_stride(z);
  let kernel = vec2<i32>(params.kernel_height, params.kernel_width);
  let big = vec2<i32>(params.height, params.width);
  let taps = strides(kernel - rest);
  let pixels = strides(big - first_pixel(rest));
  let k = params.outputs * taps.x * taps.y;
  return Problem(params.channels, params.batch * pixels.x * pixels.y, k, kernel.x * kernel.y, big.x * big.y,
                 params.small_height, params.small_width, vec4<i32>(rest, pixels), taps);
}

// Quotient and remainder of the division by the stride.
fn by_stride(n: i32) -> vec2<i32> {
  let division = divide(n, params.stride);
  return vec2<i32>(division.quotient, division.remainder);
}

// The number of strides that begin within each length, which may be negative down to a stride.
fn strides(lengths: vec2<i32>) -> vec2<i32> {
  let more = max(lengths + params.stride - 1, vec2<i32>(0));
  return vec2<i32>(by_stride(more.x).x, by_stride(more.y).x);
}

// The first pixel whose padded coordinates have the remainders `rest`.
fn first_pixel(rest: vec2<i32>) -> vec2<i32> {
  let first = rest - by_stride(params.padding).y;
  return first + select(vec2<i32>(0), vec2<i32>(params.stride), first < vec2<i32>(0));
}

fn column(p: Problem, n: i32) -> Column {
  let rest = p.offset.xy;
  let pixels = p.offset.zw;
  let image = divide(n, pixels.x * pixels.y);
  let pixel = divide(image.remainder, pixels.y);
  let first = first_pixel(rest);
  let at = vec2<i32>(pixel.quotient, pixel.remainder);
  let big = first + at * params.stride;
  let small = strides(first + params.padding - rest) + at;
  let image_small = image.quotient * params.outputs * params.small_height * params.small_width;
  let image_big = image.quotient * params.channels * p.c_stride;
  return Column(image_small + small.x * params.small_width + small.y, small.x, small.y,
                image_big + big.x * params.width + big.y);
}

fn slice(p: Problem, k: i32) -> Slice {
  let rest = p.offset.xy;
  let output = divide(k, p.taps.x * p.taps.y);
  let tap = divide(output.remainder, p.taps.y);
  let i = rest.x + tap.quotient * params.stride;
  let j = rest.y + tap.remainder * params.stride;
  let first = output.quotient * params.small_height * params.small_width;
  return Slice(first - tap.quotient * params.small_width - tap.remainder, -tap.quotient, -tap.remainder,
               (output.quotient * params.channels * params.kernel_height + i) * params.kernel_width + j);
}

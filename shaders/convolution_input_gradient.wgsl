// big = weightᵀ ∗ small: the input gradient of a convolution, and the forward pass of a transposed convolution. Pixels
// of the big image use the same taps if their padded rows and columns have the same remainders modulo the stride. The
// stride² remainders are separate problems, which multiply no zeros between the pixels of a dilated small image.
// Rows are channels C, columns the pixels of one remainder, the inner axis is (o, taps of the remainder).
// a = weight, b = small, c = big.

fn problem(z: u32) -> Problem {
  let rest = vec2<i32>(i32(z) / params.stride, i32(z) % params.stride);
  let kernel = vec2<i32>(params.kernel_height, params.kernel_width);
  let big = vec2<i32>(params.height, params.width);
  let taps = max((kernel - rest + params.stride - 1) / params.stride, vec2<i32>(0));
  let first = first_pixel(rest);
  let pixels = max((big - first + params.stride - 1) / params.stride, vec2<i32>(0));
  let k = params.outputs * taps.x * taps.y;
  return Problem(params.channels, params.batch * pixels.x * pixels.y, k, kernel.x * kernel.y, big.x * big.y,
                 params.small_height, params.small_width, vec4<i32>(rest, pixels));
}

// The first pixel whose padded coordinates have the remainders `rest`.
fn first_pixel(rest: vec2<i32>) -> vec2<i32> {
  return (rest - params.padding % params.stride + params.stride) % params.stride;
}

fn column(p: Problem, n: i32) -> Column {
  let rest = p.offset.xy;
  let pixels = p.offset.zw;
  let image = divide(n, pixels.x * pixels.y, 1.0 / f32(pixels.x * pixels.y));
  let pixel = divide(image.remainder, pixels.y, 1.0 / f32(pixels.y));
  let at = first_pixel(rest) + vec2<i32>(pixel.quotient, pixel.remainder) * params.stride;
  let small = (at + params.padding - rest) / params.stride;
  let image_small = image.quotient * params.outputs * params.small_height * params.small_width;
  let image_big = image.quotient * params.channels * p.c_stride;
  return Column(image_small + small.x * params.small_width + small.y, small.x, small.y,
                image_big + at.x * params.width + at.y);
}

fn slice(p: Problem, k: i32) -> Slice {
  let rest = p.offset.xy;
  let across = (params.kernel_width - rest.y + params.stride - 1) / params.stride;
  let taps = p.inner / params.outputs;
  let output = divide(k, taps, 1.0 / f32(taps));
  let tap = divide(output.remainder, across, 1.0 / f32(across));
  let i = rest.x + tap.quotient * params.stride;
  let j = rest.y + tap.remainder * params.stride;
  let first = output.quotient * params.small_height * params.small_width;
  return Slice(first - tap.quotient * params.small_width - tap.remainder, -tap.quotient, -tap.remainder,
               (output.quotient * params.channels * params.kernel_height + i) * params.kernel_width + j);
}

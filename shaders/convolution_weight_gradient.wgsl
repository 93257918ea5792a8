// The weight gradient. Rows are output channels, columns (c, i, j), the inner axis is all pixels of the small images.
// a = gradient of small, b = big, c = gradient of the weights.

fn problem(z: i32) -> Problem {
  let small = params.small_height * params.small_width;
  let columns = params.channels * params.kernel_height * params.kernel_width;
  return Problem(params.outputs, columns, params.batch * small, small, columns, params.height, params.width,
                 vec4<i32>(0), vec2<i32>(0));
}

fn column(p: Problem, n: i32) -> Column {
  let taps = params.kernel_height * params.kernel_width;
  let channel = divide(n, taps);
  let tap = divide(channel.remainder, params.kernel_width);
  let first = channel.quotient * params.height * params.width;
  return Column(first + tap.quotient * params.width + tap.remainder, tap.quotient, tap.remainder, n);
}

fn slice(p: Problem, k: i32) -> Slice {
  let image = divide(k, p.a_stride);
  let pixel = divide(image.remainder, params.small_width);
  let y = pixel.quotient * params.stride - params.padding;
  let x = pixel.remainder * params.stride - params.padding;
  let first = image.quotient * params.channels * params.height * params.width;
  return Slice(first + y * params.width + x, y, x, image.quotient * params.outputs * p.a_stride + image.remainder);
}

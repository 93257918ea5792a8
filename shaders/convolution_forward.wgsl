// small = weight ∗ big. Rows are output channels, columns the pixels of the small image, the inner axis is (c, i, j).
// a = weight, b = big, c = small.

fn problem(z: i32) -> Problem {
  let taps = params.kernel_height * params.kernel_width;
  let small = params.small_height * params.small_width;
  return Problem(params.outputs, params.batch * small, params.channels * taps, params.channels * taps, small,
                 params.height, params.width, vec4<i32>(0), vec2<i32>(0));
}

fn column(p: Problem, n: i32) -> Column {
  let image = divide(n, p.c_stride);
  let pixel = divide(image.remainder, params.small_width);
  let y = pixel.quotient * params.stride - params.padding;
  let x = pixel.remainder * params.stride - params.padding;
  let first = image.quotient * params.channels * params.height * params.width;
  return Column(first + y * params.width + x, y, x, image.quotient * params.outputs * p.c_stride + image.remainder);
}

fn slice(p: Problem, k: i32) -> Slice {
  let taps = params.kernel_height * params.kernel_width;
  let channel = divide(k, taps);
  let tap = divide(channel.remainder, params.kernel_width);
  let first = channel.quotient * params.height * params.width;
  return Slice(first + tap.quotient * params.width + tap.remainder, tap.quotient, tap.remainder, k);
}

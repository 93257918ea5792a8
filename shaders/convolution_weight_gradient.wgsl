// The weight gradient. Rows are output channels, columns (c, i, j), the inner axis is all pixels of the small images.
// The inner axis is split into parts of equal length, which are separate problems. sum_parts adds the parts up in a
// fixed order. a = gradient of small, b = big, c = the parts.

fn problem(z: u32) -> Problem {
  let small = params.small_height * params.small_width;
  let columns = params.channels * params.kernel_height * params.kernel_width;
  let pixels = params.batch * small;
  let part = (pixels + i32(params.problems) - 1) / i32(params.problems);
  let first = min(i32(z) * part, pixels);
  return Problem(params.outputs, columns, first, min(first + part, pixels), small, columns,
                 params.height, params.width, vec4<i32>(i32(z) * params.outputs * columns));
}

fn column(p: Problem, n: i32) -> Column {
  let taps = params.kernel_height * params.kernel_width;
  let channel = divide(n, taps, 1.0 / f32(taps));
  let tap = divide(channel.remainder, params.kernel_width, 1.0 / f32(params.kernel_width));
  let first = channel.quotient * params.height * params.width;
  return Column(first + tap.quotient * params.width + tap.remainder, tap.quotient, tap.remainder, p.offset.x + n);
}

fn slice(p: Problem, k: i32) -> Slice {
  let image = divide(k, p.a_stride, 1.0 / f32(p.a_stride));
  let pixel = divide(image.remainder, params.small_width, 1.0 / f32(params.small_width));
  let y = pixel.quotient * params.stride - params.padding;
  let x = pixel.remainder * params.stride - params.padding;
  let first = image.quotient * params.channels * params.height * params.width;
  return Slice(first + y * params.width + x, y, x, image.quotient * params.outputs * p.a_stride + image.remainder);
}

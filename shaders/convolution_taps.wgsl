// taps = weightᵀ · small, for each pixel of the small image separately. Rows are (c, i, j), columns the small pixels of
// the batch, the inner axis is o. convolution_fold.wgsl sums the taps per big pixel. a = weight, b = small, c = taps.

fn problem(z: i32) -> Problem {
  let rows = params.channels * params.kernel_height * params.kernel_width;
  let columns = params.batch * params.small_height * params.small_width;
  return Problem(rows, columns, params.outputs, 1, columns, 1, 1, vec4<i32>(0), vec2<i32>(0));
}

fn column(p: Problem, n: i32) -> Column {
  let pixels = params.small_height * params.small_width;
  let image = divide(n, pixels);
  return Column(image.quotient * params.outputs * pixels + image.remainder, 0, 0, n);
}

fn slice(p: Problem, k: i32) -> Slice { return Slice(k * params.small_height * params.small_width, 0, 0, k * p.rows); }

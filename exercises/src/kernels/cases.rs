//! The problems: operands, and what the result must be, computed on the host in f64.
//!
//! Operands are small whole numbers. Their sums are exact in f32, in any order, and easy to follow by hand.

use ign::gpu::Cost;

/// A problem of one shape.
pub struct Case {
    /// The shape in words.
    pub shape: String,
    /// Names and contents of the operands.
    pub inputs: Vec<(&'static str, Vec<f32>)>,
    /// Name and extents of the result.
    pub output: (&'static str, Vec<usize>),
    /// Name and number of elements of memory between two entry points.
    pub scratch: Option<(&'static str, usize)>,
    /// Members of the uniform block `params`.
    pub params: Vec<(&'static str, u32)>,
    /// Entry points in their order, with the extents and the number of their workgroups.
    pub passes: Vec<Pass>,
    /// The result.
    pub expected: Vec<f64>,
    /// Least arithmetic and memory traffic.
    pub cost: Cost,
}

/// The start of an entry point.
pub struct Pass {
    /// Its name.
    pub entry: &'static str,
    /// Extents of a workgroup.
    pub workgroup: [u32; 3],
    /// Number of workgroups.
    pub groups: u32,
}

fn pass(entry: &'static str, workgroup: [u32; 3], groups: usize) -> Pass {
    Pass { entry, workgroup, groups: groups as u32 }
}

/// Whole numbers from −4 to 4. Another `salt` gives others.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| (((i + salt) * 7919 + i / 9 * 31) % 9) as f32 - 4.0).collect()
}

/// Arithmetic, and the traffic of reading and writing this many f32.
fn cost(flops: usize, elements: usize) -> Cost {
    Cost { flops: flops as u64, bytes: 4 * elements as u64 }
}

/// A function of a line of `n` elements and its neighbours, one element per invocation in workgroups of 64.
fn line(entry: &'static str, n: usize, flops: usize, y: impl Fn(&dyn Fn(isize) -> f64, isize) -> f64) -> Case {
    let x = numbers(n, 1);
    let at = |i: isize| usize::try_from(i).ok().and_then(|i| x.get(i)).map_or(0.0, |&x| f64::from(x));
    let expected = (0..n as isize).map(|i| y(&at, i)).collect();
    Case {
        shape: format!("count = {n}"),
        output: ("y", vec![n]),
        scratch: None,
        params: vec![("count", n as u32)],
        passes: vec![pass(entry, [64, 1, 1], n.div_ceil(64))],
        expected,
        cost: cost(flops * n, 2 * n),
        inputs: vec![("x", x)],
    }
}

pub fn map(shape: &[usize]) -> Case {
    line("map", shape[0], 2, |x, i| x(i) * x(i) + 1.0)
}

pub fn guard(shape: &[usize]) -> Case {
    line("guard", shape[0], 1, |x, i| x(i).max(0.0))
}

pub fn stencil(shape: &[usize]) -> Case {
    line("stencil", shape[0], 3, |x, i| x(i - 1) - 2.0 * x(i) + x(i + 1))
}

pub fn window(shape: &[usize]) -> Case {
    line("barrier", shape[0], 4, |x, i| (i - 2..=i + 2).map(x).sum())
}

pub fn zip(shape: &[usize]) -> Case {
    let n = shape[0];
    let (a, b) = (numbers(n, 1), numbers(n, 5));
    Case {
        shape: format!("quads = {}", n / 4),
        output: ("y", vec![n]),
        scratch: None,
        params: vec![("quads", n as u32 / 4)],
        passes: vec![pass("zip", [64, 1, 1], n.div_ceil(256))],
        expected: a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).collect(),
        cost: cost(n, 3 * n),
        inputs: vec![("a", a), ("b", b)],
    }
}

pub fn reduction(shape: &[usize]) -> Case {
    let [rows, columns] = [shape[0], shape[1]];
    let x = numbers(rows * columns, 2);
    Case {
        shape: format!("x [{rows}, {columns}]"),
        output: ("y", vec![rows]),
        scratch: None,
        params: vec![("columns", columns as u32)],
        passes: vec![pass("reduction", [64, 1, 1], rows)],
        expected: x.chunks(columns).map(|row| row.iter().map(|&x| f64::from(x)).sum()).collect(),
        cost: cost(rows * columns, rows * columns + rows),
        inputs: vec![("x", x)],
    }
}

pub fn transpose(shape: &[usize]) -> Case {
    let [rows, columns] = [shape[0], shape[1]];
    // Each element is its own place, so that a wrong one says where it comes from.
    let x: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
    let expected = (0..columns).flat_map(|c| (0..rows).map(move |r| (r * columns + c) as f64)).collect();
    Case {
        shape: format!("x [{rows}, {columns}]"),
        output: ("y", vec![columns, rows]),
        scratch: None,
        params: vec![("rows", rows as u32), ("columns", columns as u32)],
        passes: vec![pass("transpose", [16, 16, 1], rows.div_ceil(16) * columns.div_ceil(16))],
        expected,
        cost: cost(0, 2 * rows * columns),
        inputs: vec![("x", x)],
    }
}

fn matrices(shape: &[usize], passes: Vec<Pass>) -> Case {
    let [rows, columns, steps] = [shape[0], shape[1], shape[2]];
    let (a, b) = (numbers(rows * steps, 1), numbers(steps * columns, 3));
    let mut expected = vec![0.0; rows * columns];
    for (a, c) in a.chunks(steps).zip(expected.chunks_mut(columns)) {
        for (a, b) in a.iter().zip(b.chunks(columns)) {
            c.iter_mut().zip(b).for_each(|(c, &b)| *c += f64::from(*a) * f64::from(b));
        }
    }
    Case {
        shape: format!("A [{rows}, {steps}], B [{steps}, {columns}]"),
        output: ("c", vec![rows, columns]),
        scratch: None,
        params: vec![("rows", rows as u32), ("columns", columns as u32), ("steps", steps as u32)],
        passes,
        expected,
        cost: cost(2 * rows * columns * steps, rows * steps + steps * columns + rows * columns),
        inputs: vec![("a", a), ("b", b)],
    }
}

/// Number of square tiles of this side that cover C.
fn tiles(shape: &[usize], side: usize) -> usize {
    shape[0].div_ceil(side) * shape[1].div_ceil(side)
}

pub fn product(shape: &[usize]) -> Case {
    matrices(shape, vec![pass("tiled_product", [16, 16, 1], tiles(shape, 16))])
}

pub fn blocked_product(shape: &[usize]) -> Case {
    matrices(shape, vec![pass("register_tile", [8, 8, 1], tiles(shape, 32))])
}

pub fn packed_product(shape: &[usize]) -> Case {
    let vectors = shape[0].div_ceil(4) * shape[2];
    let passes = vec![pass("pack", [64, 1, 1], vectors.div_ceil(64)), pass("product", [8, 8, 1], tiles(shape, 32))];
    Case { scratch: Some(("panels", 4 * vectors)), ..matrices(shape, passes) }
}

/// Extents of a convolution: N, C, H, W, O, side of the kernel, stride, padding, and P and Q of its output.
struct Extents {
    n: usize,
    c: usize,
    h: usize,
    w: usize,
    o: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    p: usize,
    q: usize,
}

impl Extents {
    fn new(shape: &[usize]) -> Self {
        let [n, c, h, w] = [0, 1, 2, 3].map(|i| shape[i]);
        let [o, kernel, stride, padding] = [4, 5, 6, 7].map(|i| shape[i]);
        let out = |side: usize| (side + 2 * padding - kernel) / stride + 1;
        Self { n, c, h, w, o, kernel, stride, padding, p: out(h), q: out(w) }
    }

    fn x(&self) -> usize {
        self.n * self.c * self.h * self.w
    }

    fn weight(&self) -> usize {
        self.o * self.c * self.kernel * self.kernel
    }

    fn y(&self) -> usize {
        self.n * self.o * self.p * self.q
    }

    /// Hands the indices in x, weight and y of each product of the convolution to `each`.
    fn products(&self, mut each: impl FnMut(usize, usize, usize)) {
        let inside = |at: usize, tap: usize, side: usize| {
            (at * self.stride + tap).checked_sub(self.padding).filter(|&place| place < side)
        };
        for y in 0..self.y() {
            let (q, p) = (y % self.q, y / self.q % self.p);
            let (o, n) = (y / (self.q * self.p) % self.o, y / (self.q * self.p * self.o));
            for weight in o * self.weight() / self.o..(o + 1) * self.weight() / self.o {
                let (j, i) = (weight % self.kernel, weight / self.kernel % self.kernel);
                let c = weight / (self.kernel * self.kernel) % self.c;
                if let (Some(row), Some(column)) = (inside(p, i, self.h), inside(q, j, self.w)) {
                    each(((n * self.c + c) * self.h + row) * self.w + column, weight, y);
                }
            }
        }
    }

    /// A problem whose result is summed up by `each` from the indices of [`products`](Self::products).
    fn case(
        &self,
        entry: &'static str,
        inputs: Vec<(&'static str, Vec<f32>)>,
        output: (&'static str, Vec<usize>),
        mut each: impl FnMut(&mut [f64], [usize; 3]),
    ) -> Case {
        let elements = output.1.iter().product::<usize>();
        let mut expected = vec![0.0; elements];
        self.products(|x, weight, y| each(&mut expected, [x, weight, y]));
        let Self { n, c, h, w, o, kernel, stride, padding, p, q } = *self;
        let params = [
            ("batch", n),
            ("channels", c),
            ("height", h),
            ("width", w),
            ("outputs", o),
            ("kernel", kernel),
            ("stride", stride),
            ("padding", padding),
            ("out_height", p),
            ("out_width", q),
        ];
        Case {
            shape: format!(
                "x [{n}, {c}, {h}, {w}], weight [{o}, {c}, {kernel}, {kernel}], y [{n}, {o}, {p}, {q}], stride {stride}, \
                 padding {padding}"
            ),
            output,
            scratch: None,
            params: params.map(|(name, value)| (name, value as u32)).to_vec(),
            passes: vec![pass(entry, [64, 1, 1], elements.div_ceil(64))],
            expected,
            cost: cost(2 * self.y() * c * kernel * kernel, self.x() + self.weight() + self.y()),
            inputs,
        }
    }
}

pub fn convolution(shape: &[usize]) -> Case {
    let e = Extents::new(shape);
    let (x, weight) = (numbers(e.x(), 1), numbers(e.weight(), 4));
    let (a, b) = (x.clone(), weight.clone());
    e.case("convolution", vec![("x", x), ("weight", weight)], ("y", vec![e.n, e.o, e.p, e.q]), |sum, [x, w, y]| {
        sum[y] += f64::from(a[x]) * f64::from(b[w]);
    })
}

pub fn input_gradient(shape: &[usize]) -> Case {
    let e = Extents::new(shape);
    let (dy, weight) = (numbers(e.y(), 2), numbers(e.weight(), 4));
    let (a, b) = (dy.clone(), weight.clone());
    e.case(
        "input_gradient",
        vec![("dy", dy), ("weight", weight)],
        ("dx", vec![e.n, e.c, e.h, e.w]),
        |sum, [x, w, y]| {
            sum[x] += f64::from(a[y]) * f64::from(b[w]);
        },
    )
}

pub fn weight_gradient(shape: &[usize]) -> Case {
    let e = Extents::new(shape);
    let (x, dy) = (numbers(e.x(), 1), numbers(e.y(), 2));
    let (a, b) = (x.clone(), dy.clone());
    let output = ("dw", vec![e.o, e.c, e.kernel, e.kernel]);
    e.case("weight_gradient", vec![("x", x), ("dy", dy)], output, |sum, [x, w, y]| {
        sum[w] += f64::from(a[x]) * f64::from(b[y]);
    })
}

pub fn statistics(shape: &[usize]) -> Case {
    let [images, channels, pixels] = [shape[0], shape[1], shape[2]];
    // The mean of channel c is near 4,097·(c + 1), its variance near 7.
    let mut x = numbers(images * channels * pixels, 1);
    x.iter_mut().enumerate().for_each(|(i, x)| *x += 4097.0 * (i / pixels % channels + 1) as f32);
    let channel = |c: usize| -> Vec<f64> {
        let planes = x.chunks(pixels).enumerate().filter(|(i, _)| i % channels == c);
        planes.flat_map(|(_, plane)| plane).map(|&x| f64::from(x)).collect()
    };
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let variance = |x: &[f64]| {
        let middle = mean(x);
        x.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / x.len() as f64
    };
    let means = (0..channels).map(|c| mean(&channel(c)));
    let expected = means.chain((0..channels).map(|c| variance(&channel(c)))).collect();
    Case {
        shape: format!("x [{images}, {channels}, {pixels}]"),
        output: ("statistics", vec![2, channels]),
        scratch: None,
        params: vec![("images", images as u32), ("channels", channels as u32), ("pixels", pixels as u32)],
        passes: vec![pass("batch_norm_sums", [64, 1, 1], channels)],
        expected,
        cost: cost(4 * x.len(), x.len() + 2 * channels),
        inputs: vec![("x", x)],
    }
}

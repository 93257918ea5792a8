//! Puzzles of one operation: its vector-Jacobian product, as lines on a tape.

use super::differences::{Found, compare, numbers};
use ign::ops::Norm;
use ign::tape::{Tape, Var};

/// The functions of the learner's.
pub type Square = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
pub type Broadcast = for<'t> fn(Var<'t>) -> [Var<'t>; 2];
pub type Matmul = for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> [Var<'t>; 2];
pub type CrossEntropy = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
pub type BatchNorm = for<'t> fn(Var<'t>, Var<'t>, Var<'t>, Var<'t>) -> [Var<'t>; 3];

/// An input with these extents and its numbers.
fn input<'t>(tape: &'t Tape, name: &str, dims: &[usize]) -> (Var<'t>, Vec<f64>) {
    (tape.input(name, dims), numbers(dims.iter().product(), name.len() + dims.len() + usize::from(name.as_bytes()[0])))
}

/// y·g summed, whose gradient with respect to y is g.
fn loss<'t>(y: Var<'t>, g: Var<'t>) -> Var<'t> {
    (y * g).sum()
}

/// Checks every shape, and says how much was checked.
fn over(shapes: &[&[usize]], check: impl Fn(&[usize]) -> Result<usize, String>) -> Result<String, String> {
    let mut elements = 0;
    for shape in shapes {
        elements += check(shape).map_err(|wrong| format!("with extents {shape:?}, {wrong}"))?;
    }
    Ok(format!("{} shapes, {elements} elements: all agree with central differences", shapes.len()))
}

pub fn square(yours: Square) -> Result<String, String> {
    over(&[&[1], &[7], &[2, 3]], |dims| {
        let tape = Tape::new();
        let [(x, at), (g, of_g)] = ["x", "g"].map(|name| input(&tape, name, dims));
        let found = Found { of: x, at, gradient: yours(x, g) };
        compare(&tape, loss(x * x, g), &[(g, of_g)], &[found])
    })
}

pub fn broadcast(yours: Broadcast) -> Result<String, String> {
    over(&[&[1, 3], &[4, 1], &[3, 5]], |dims| {
        let tape = Tape::new();
        let [(x, of_x), (g, of_g)] = ["x", "g"].map(|name| input(&tape, name, dims));
        let (b, of_b) = input(&tape, "b", &dims[1..]);
        let [d_x, d_b] = yours(g);
        let found = [Found { of: x, at: of_x, gradient: d_x }, Found { of: b, at: of_b, gradient: d_b }];
        compare(&tape, loss(x + b.broadcast_channels(x.shape()), g), &[(g, of_g)], &found)
    })
}

pub fn matmul(yours: Matmul) -> Result<String, String> {
    over(&[&[1, 1, 1], &[3, 3, 3], &[2, 3, 4], &[5, 1, 2]], |extents| {
        let &[m, k, n] = extents else { return Err("three extents".into()) };
        let tape = Tape::new();
        let [(a, of_a), (b, of_b), (g, of_g)] =
            [("A", [m, k]), ("B", [k, n]), ("g", [m, n])].map(|(name, dims)| input(&tape, name, &dims));
        let [d_a, d_b] = yours(a, b, g);
        let found = [Found { of: a, at: of_a, gradient: d_a }, Found { of: b, at: of_b, gradient: d_b }];
        compare(&tape, loss(a.matmul(b), g), &[(g, of_g)], &found)
    })
}

pub fn cross_entropy(yours: CrossEntropy) -> Result<String, String> {
    over(&[&[1, 2], &[3, 4], &[4, 10]], |dims| {
        let &[samples, classes] = dims else { return Err("two extents".into()) };
        let tape = Tape::new();
        let (x, at) = input(&tape, "x", dims);
        let t = tape.input("t", dims);
        // A class for the first sample, and mixtures of two for the others.
        let mut of_t = vec![0.0; samples * classes];
        for (n, row) in of_t.chunks_mut(classes).enumerate() {
            row[n % classes] += if n == 0 { 1.0 } else { 0.75 };
            row[(n + 1) % classes] += if n == 0 { 0.0 } else { 0.25 };
        }
        let found = Found { of: x, at, gradient: yours(x, t) };
        compare(&tape, x.softmax_cross_entropy(t), &[(t, of_t)], &[found])
    })
}

pub fn batch_norm(yours: BatchNorm) -> Result<String, String> {
    const EPSILON: f32 = 0.125;
    over(&[&[2, 1, 3], &[3, 2, 1], &[2, 3, 4]], |dims| {
        let tape = Tape::new();
        let [(x, of_x), (g, of_g)] = ["x", "g"].map(|name| input(&tape, name, dims));
        let [(gamma, of_gamma), (beta, of_beta)] = ["gamma", "beta"].map(|name| input(&tape, name, &dims[1..2]));
        let shape = x.shape();
        let share = 1.0 / (shape.elements() / dims[1]) as f32;
        let centred = x - (share * x.sum_channels()).broadcast_channels(shape.clone());
        let variance = share * (centred * centred).sum_channels();
        let deviation = (variance + tape.constant(EPSILON, [dims[1]])).sqrt();
        let normalised = centred / deviation.broadcast_channels(shape);
        let [d_x, d_gamma, d_beta] = yours(normalised, gamma, deviation, g);
        let found = [
            Found { of: gamma, at: of_gamma, gradient: d_gamma },
            Found { of: beta, at: of_beta, gradient: d_beta },
            Found { of: x, at: of_x, gradient: d_x },
        ];
        let y = x.batch_norm(gamma, beta, Norm { epsilon: EPSILON, slope: 1.0 }).y;
        compare(&tape, loss(y, g), &[(g, of_g)], &found)
    })
}

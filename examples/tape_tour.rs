//! A walk through the tape, from y = x² to a fitted network. Every gradient stands beside a finite difference.
//!
//!     cargo run --release --example tape_tour

use ign::gpu::Store;
use ign::native::{open, wait};
use ign::nn::Adam;
use ign::ops::{compile, linear, mse, mul, tanh};
use ign::tape::{Tape, Var};
use std::error::Error;

/// ∂y/∂x[0] by central differences, the tape run twice by the f64 interpreter. `y` has one element.
fn difference(tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)], y: Var<'_>, x: Var<'_>) -> Result<f64, Box<dyn Error>> {
    let h = 1e-6;
    let moved = |by: f64| {
        let mut feeds = feeds.to_vec();
        feeds.iter_mut().filter(|(v, _)| v.line() == x.line()).for_each(|(_, data)| data[0] += by);
        value(tape, &feeds, y)
    };
    Ok((moved(h)? - moved(-h)?) / (2.0 * h))
}

/// The first element of `v`.
fn value(tape: &Tape, feeds: &[(Var<'_>, Vec<f64>)], v: Var<'_>) -> Result<f64, Box<dyn Error>> {
    let slices: Vec<_> = feeds.iter().map(|(v, data)| (*v, data.as_slice())).collect();
    Ok(tape.interpret(&slices)?.get(v)[0])
}

fn main() -> Result<(), Box<dyn Error>> {
    // 1. Recording computes nothing: `y` is a line on the tape, and so is its derivative.
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = mul(x, x)?;
    let dy = tape.gradient(y, &[x])?[0];
    let feeds = vec![(x, vec![3.0])];
    println!("y = x² at 3, as a line {y:?}");
    println!("  dy/dx                {:.6}", value(&tape, &feeds, dy)?);
    println!("  finite difference    {:.6}", difference(&tape, &feeds, y, x)?);

    // 2. The gradient is made of operations, so it has a gradient.
    let ddy = tape.gradient(dy, &[x])?[0];
    println!("  d²y/dx²              {:.6}", value(&tape, &feeds, ddy)?);

    // 3. Asking for an intermediate variable stops the walk there: z = y·x with y held constant.
    let z = mul(y, x)?;
    let whole = tape.gradient(z, &[x])?[0];
    let parts = tape.gradient(z, &[x, y])?;
    println!("z = x²·x: dz/dx        {:.6}", value(&tape, &feeds, whole)?);
    println!("  finite difference    {:.6}", difference(&tape, &feeds, z, x)?);
    println!("  ∂z/∂x, y = x² fixed  {:.6}", value(&tape, &feeds, parts[0])?);

    // 4. A network of two layers, fitted to a sine. Parameters are state: they outlive the program.
    let tape = Tape::new();
    let x = tape.input("x", [32, 1]);
    let target = tape.input("target", [32, 1]);
    let (w1, b1) = (tape.state("w1", [16, 1])?, tape.state("b1", [16])?);
    let (w2, b2) = (tape.state("w2", [1, 16])?, tape.state("b2", [1])?);
    let p = [w1, b1, w2, b2];
    let hidden = tanh(linear(x, w1, Some(b1))?)?;
    let loss = mse(linear(hidden, w2, Some(b2))?, target)?;
    let gradients = tape.gradient(loss, &p)?;

    let xs: Vec<f64> = (0..32).map(|i| f64::from(i) / 16.0 - 1.0).collect();
    let targets: Vec<f64> = xs.iter().map(|x| (3.0 * x).sin()).collect();
    let start = |v: &Var<'_>| (0..v.shape().elements()).map(|i| ((3 * i + v.line()) as f64).sin() / 2.0).collect();
    let mut feeds = vec![(x, xs.clone()), (target, targets.clone())];
    feeds.extend(p.iter().map(|v| (*v, start(v))));
    println!("two layers, loss {:.4}", value(&tape, &feeds, loss)?);
    for (v, gradient) in p.iter().zip(&gradients) {
        let (rule, numeric) = (value(&tape, &feeds, *gradient)?, difference(&tape, &feeds, loss, *v)?);
        println!("  ∂loss/∂{}[0]  {rule:>10.6}   finite difference {numeric:>10.6}", v.name());
    }

    // 5. Adam is recorded too, as lines that update state. Compiled for the adapter, the tape is replayed.
    let optimiser = Adam { learning_rate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    optimiser.record(&tape, &p, &gradients)?;
    let gpu = open(None)?;
    let single = |data: &Vec<f64>| data.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let mut store = Store::new();
    for (name, contents) in p.iter().map(|v| (v.name(), single(&start(v)))).chain(Adam::initial(&p)) {
        wait(&gpu, store.set(&gpu, &name, &contents))?;
    }
    let program = wait(&gpu, compile(&gpu, &store, &tape, &[("loss", loss)]))?;
    program.write("x", &single(&xs))?;
    program.write("target", &single(&targets))?;
    for step in 1..=500 {
        program.write(Adam::RATES, &optimiser.rates(step))?;
        program.run()?;
        if step % 100 == 0 {
            println!("  step {step}: loss {:.6}", wait(&gpu, program.read(&["loss"]))?[0][0]);
        }
    }

    // 6. The tape is data, and can be drawn: forward and backward lines apart.
    let drawing = std::env::temp_dir().join("tape_tour.dot");
    std::fs::write(&drawing, tape.to_dot())?;
    println!("the graph: {} (dot -Tsvg -O {0})", drawing.display());
    Ok(())
}

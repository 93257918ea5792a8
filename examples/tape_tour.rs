//! A walk through the tape, from y = x² to a fitted network. Every gradient stands beside a finite difference.
//!
//!     cargo run --release --example tape_tour

use ign::gpu::Store;
use ign::native::{open, wait};
use ign::nn::Adam;
use ign::ops::{compile, linear, mse, mul, tanh};
use ign::tape::{Shape, Tape, Var};
use std::error::Error;

type Feeds<'t> = Vec<(Var<'t>, Vec<f64>)>;

/// ∂y/∂x[0] by central differences, the tape run twice by the f64 interpreter. `y` has one element.
fn difference(tape: &Tape, feeds: &Feeds<'_>, y: Var<'_>, x: Var<'_>) -> Result<f64, Box<dyn Error>> {
    let h = 1e-6;
    let moved = |by: f64| {
        let mut feeds = feeds.clone();
        feeds.iter_mut().filter(|(v, _)| v.line() == x.line()).for_each(|(_, data)| data[0] += by);
        value(tape, &feeds, y)
    };
    Ok((moved(h)? - moved(-h)?) / (2.0 * h))
}

/// The first element of `v`.
fn value(tape: &Tape, feeds: &Feeds<'_>, v: Var<'_>) -> Result<f64, Box<dyn Error>> {
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
    println!("y = x² at 3:           {:?}", y);
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
    let shapes: [(&str, Shape); 4] =
        [("w1", [16, 1].into()), ("b1", [16].into()), ("w2", [1, 16].into()), ("b2", [1].into())];
    let p = shapes.iter().map(|(name, shape)| tape.state(name, shape.clone())).collect::<Result<Vec<_>, _>>()?;
    let hidden = tanh(linear(x, p[0], Some(p[1]))?)?;
    let loss = mse(linear(hidden, p[2], Some(p[3]))?, target)?;
    let gradients = tape.gradient(loss, &p)?;

    let (xs, targets): (Vec<f64>, Vec<f64>) =
        (0..32).map(|i| f64::from(i) / 16.0 - 1.0).map(|x| (x, (3.0 * x).sin())).unzip();
    let start = |v: &Var<'_>| (0..v.shape().elements()).map(|i| (12.9898 * (i + 1) as f64).sin()).collect::<Vec<_>>();
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
    let single = |data: &[f64]| data.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let mut store = Store::new();
    for v in &p {
        wait(&gpu, store.set(&gpu, &v.name(), &single(&start(v))))?;
        for moment in Adam::moments(&v.name()) {
            wait(&gpu, store.set(&gpu, &moment, &vec![0.0; v.shape().elements()]))?;
        }
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

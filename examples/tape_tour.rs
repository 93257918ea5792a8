//! A tour of the tape, from y = x² to a fitted network. Finite differences check most of the gradients.
//!
//!     cargo run --release --example tape_tour

#[macro_use]
#[path = "support/say.rs"]
mod say;

use ign::compile::blocking_compile;
use ign::gpu::Store;
use ign::native::open;
use ign::nn::Adam;
use ign::tape::{Tape, Var};
use std::error::Error;

/// ∂y/∂x[0] by a central difference, from two runs of the f64 interpreter. `y` has one element.
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
    say::without_display();
    // 1. Recording computes nothing. `y` is a line on the tape, and `gradient` adds more lines for its derivative.
    let tape = Tape::new();
    let x = tape.input("x", [1]);
    let y = x * x;
    say!("y = x², as a tape\n{tape}");
    let dy = tape.gradient(y, &[x])?[0];
    say!("the same tape after `gradient`\n{tape}");
    let feeds = vec![(x, vec![3.0])];
    say!("at x = 3");
    say!("  dy/dx                {:.6}", value(&tape, &feeds, dy)?);
    say!("  finite difference    {:.6}", difference(&tape, &feeds, y, x)?);

    // 2. The gradient consists of operations, so it has a gradient too.
    let ddy = tape.gradient(dy, &[x])?[0];
    say!("  d²y/dx²              {:.6}", value(&tape, &feeds, ddy)?);

    // 3. The backward walk stops at requested variables. With x and y requested, y is constant in ∂z/∂x of z = y·x.
    let z = y * x;
    let whole = tape.gradient(z, &[x])?[0];
    let parts = tape.gradient(z, &[x, y])?;
    say!("z = x²·x: dz/dx        {:.6}", value(&tape, &feeds, whole)?);
    say!("  finite difference    {:.6}", difference(&tape, &feeds, z, x)?);
    say!("  ∂z/∂x, y = x² fixed  {:.6}", value(&tape, &feeds, parts[0])?);

    // 4. A network of two layers, fitted to a sine. Parameters are state, which outlives the program.
    let tape = Tape::new();
    let x = tape.input("x", [32, 1]);
    let target = tape.input("target", [32, 1]);
    let (w1, b1) = (tape.state("w1", [16, 1]), tape.state("b1", [16]));
    let (w2, b2) = (tape.state("w2", [1, 16]), tape.state("b2", [1]));
    let p = [w1, b1, w2, b2];
    let loss = x.linear(w1, Some(b1)).tanh().linear(w2, Some(b2)).mse(target);
    let gradients = tape.gradient(loss, &p)?;

    let xs: Vec<f64> = (0..32).map(|i| f64::from(i) / 16.0 - 1.0).collect();
    let targets: Vec<f64> = xs.iter().map(|x| (3.0 * x).sin()).collect();
    let start = |v: &Var<'_>| (0..v.shape().elements()).map(|i| ((3 * i + v.line()) as f64).sin() / 2.0).collect();
    let mut feeds = vec![(x, xs.clone()), (target, targets.clone())];
    feeds.extend(p.iter().map(|v| (*v, start(v))));
    say!("two layers, loss {:.4}", value(&tape, &feeds, loss)?);
    for (v, gradient) in p.iter().zip(&gradients) {
        let (rule, numeric) = (value(&tape, &feeds, *gradient)?, difference(&tape, &feeds, loss, *v)?);
        say!("  ∂loss/∂{}[0]  {rule:>10.6}   finite difference {numeric:>10.6}", v.name());
    }

    // 5. Adam is recorded too, as lines that update state. The tape is compiled for the adapter once and run
    // repeatedly.
    let optimiser = Adam { learning_rate: 0.02, ..Adam::default() };
    optimiser.record(&tape, &p, &gradients);
    let gpu = open(None)?;
    let single = |data: &Vec<f64>| data.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let mut store = Store::new();
    for (name, contents) in p.iter().map(|v| (v.name(), single(&start(v)))).chain(Adam::initial(&p)) {
        store.blocking_set(&gpu, &name, &contents)?;
    }
    let program = blocking_compile(&gpu, &store, &tape, &[("loss", loss)])?;
    program.write("x", &single(&xs))?;
    program.write("target", &single(&targets))?;
    for step in 1..=500 {
        program.write(Adam::RATES, &optimiser.rates(step))?;
        program.run()?;
        if step % 100 == 0 {
            say!("  step {step}: loss {:.6}", program.blocking_read(&["loss"])?[0][0]);
        }
    }

    // 6. The tape is data and can be drawn, with separate clusters for forward and backward lines.
    let drawing = std::env::temp_dir().join("tape_tour.dot");
    std::fs::write(&drawing, tape.to_dot())?;
    say!("the graph: {} (dot -Tsvg -O {0})", drawing.display());
    Ok(())
}

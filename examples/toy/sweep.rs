//! Trainings with several weights of tightness.

use crate::Arguments;
use crate::canvas::{stack, tile};
use crate::chart::{Chart, Scale};
use crate::drawing::{Scene, compose};
use crate::numbers::Numbers;
use crate::train::Run;
use ign::gpu::Gpu;
use ign::toy::Data;
use std::error::Error;
use tiny_skia::Pixmap;

/// The weights of tightness.
const WEIGHTS: [f64; 6] = [0.02, 0.1, 0.3, 0.6, 1.0, 1.5];
/// The data sets.
const SETS: [Data; 2] = [Data::Moons, Data::Spiral];
/// Number of seeds, from that of the command line on.
const SEEDS: u64 = 2;
/// Width and height of a picture.
const SIDE: u32 = 196;

/// Trains with every weight on every data set. Returns a picture, with the results of the first seed above charts of the
/// numbers, and the numbers as a table.
///
/// # Errors
/// If a training diverges, or the adapter fails.
pub fn sweep(gpu: &Gpu, arguments: &Arguments) -> Result<(Pixmap, String), Box<dyn Error>> {
    let mut scenes = vec![];
    let mut table = format!("data,tight,seed,{}\n", Numbers::NAMES);
    let mut measured: Vec<Vec<Vec<Numbers>>> = vec![];
    for data in SETS {
        let mut of_data = vec![];
        for tight in WEIGHTS {
            let mut of_weight = vec![];
            for seed in (0..SEEDS).map(|i| arguments.seed.wrapping_add(i)) {
                let name = data.name();
                say!("\n{name}, tight {tight}, seed {seed}");
                let run = Run { data: data.clone(), weights: [arguments.rec, arguments.idem, tight], seed };
                let toy = run.train(gpu, arguments, |_| Ok(()))?;
                let numbers = Numbers::of(&toy)?;
                if of_weight.is_empty() {
                    scenes.push(Scene::of(&toy, format!("{name}, tight {tight}"), SIDE)?.draw());
                }
                table += &format!("{name},{tight},{seed},{}\n", numbers.row());
                of_weight.push(numbers);
            }
            of_data.push(of_weight);
        }
        measured.push(of_data);
    }
    let width = (SIDE * WEIGHTS.len() as u32 + 30) / 3 - 4;
    let chart = |title, scale, bound: Option<&dyn Fn(f64) -> f64>, number: &dyn Fn(&Numbers) -> f64| {
        let values = |of_data: &Vec<Vec<Numbers>>| of_data.iter().map(|n| n.iter().map(number).collect()).collect();
        let lines: Vec<(&str, Vec<Vec<f64>>)> = SETS.iter().map(Data::name).zip(measured.iter().map(values)).collect();
        let bound = bound.map(|bound| WEIGHTS.map(bound).to_vec());
        Chart { title, scale, ticks: WEIGHTS.map(|weight| weight.to_string()).to_vec(), lines, bound }
            .draw([width, 220])
    };
    let charts = [
        chart("energy distance of f(z) and x", Scale::Log, None, &|n| n.energy.max(1e-4)),
        chart("mean |f(f(z))-f(z)|", Scale::Log, None, &|n| n.idempotence),
        chart("covered share of the data", Scale::Linear, Some(&|tight| tight.min(1.0)), &|n| n.coverage),
    ];
    Ok((stack(&[compose(&scenes, WEIGHTS.len()), tile(&charts, charts.len())]), table))
}

use super::*;
use crate::nn::Layer;
use crate::tape::{Shape, Source, Values};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const BATCH: usize = 3;
const IMAGE: [usize; 3] = [1, 6, 6];
const WEIGHTS: [f64; 3] = [2.0, 3.0, 0.7];

fn tiny(name: &str) -> Sequential {
    let layers = vec![
        Layer::Conv2d { inputs: 1, outputs: 2, kernel: 4, stride: 2, padding: 1 },
        Layer::LeakyRelu(0.2),
        Layer::Conv2d { inputs: 2, outputs: 3, kernel: 3, stride: 1, padding: 0 },
        Layer::BatchNorm { channels: 3 },
        Layer::Relu,
        Layer::ConvTranspose2d { inputs: 3, outputs: 2, kernel: 3, stride: 1, padding: 0, output_padding: 0 },
        Layer::BatchNorm { channels: 2 },
        Layer::LeakyRelu(0.1),
        Layer::ConvTranspose2d { inputs: 2, outputs: 1, kernel: 4, stride: 2, padding: 1, output_padding: 0 },
        Layer::Tanh,
    ];
    Sequential { layers, name: name.into() }
}

/// Interprets a tape in f64. Variables in `inputs` get the given values. All others get random values seeded by
/// their name without `copy.`, so that a copy equals its original.
fn interpret<'t>(tape: &'t Tape, inputs: &BTreeMap<String, Vec<f64>>) -> Values<'t> {
    let fed = tape.all(|n| matches!(n.source, Source::Input(_) | Source::State(_)));
    let data = |v: &Var<'_>| -> Vec<f64> {
        let name = v.name().replace("copy.", "");
        if let Some(data) = inputs.get(&name) {
            return data.clone();
        }
        let seed = name.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..v.shape().elements()).map(|_| rng.random_range(-0.8..0.8)).collect()
    };
    let feeds: Vec<_> = fed.iter().map(|v| (*v, data(v))).collect();
    let slices: Vec<_> = feeds.iter().map(|(v, d)| (*v, d.as_slice())).collect();
    tape.interpret(&slices).unwrap()
}

/// The gradients of the paper's listing: four applications, with a copy of the network for idempotence, and with a
/// constant f(z) for tightness.
fn listing(objective: Objective) -> Vec<Vec<f64>> {
    let metric = Metric { distance: objective.distance, features: None };
    let tape = Tape::new();
    let shape = Shape::from([BATCH, IMAGE[0], IMAGE[1], IMAGE[2]]);
    let [x, z] = ["x", "z"].map(|name| tape.input(name, shape.clone()));
    let (f, copy) = (tiny(""), tiny("copy."));
    let seed = tape.input(Objective::DROPOUT_SEED, [1]);
    let mode = |role: Role| {
        let dropout = Dropout { probability: objective.dropout, seed, application: role as u16 };
        Mode::Train { prefixes: &[], dropout: Some(dropout) }
    };
    let fx = f.apply(x, mode(Role::Image));
    let fz = f.apply(z, mode(Role::Noise));
    let constant = tape.input("constant f(z)", shape);
    let ffz_of_copy = copy.apply(fz, mode(Role::Sample));
    let ffz = f.apply(constant, mode(Role::Sample));
    let radius = tape.input("constant R", [BATCH]);

    let rec = metric.mean(fx, x);
    let idem = metric.mean(ffz_of_copy, fz);
    let each = -metric.per_sample(ffz, constant);
    let from_noise = metric.per_sample(fz, z);
    let clamped = |a: f32| {
        let scale = a * radius;
        (each / scale).tanh() * scale
    };
    let tight = match objective.clamp {
        Clamp::None => each,
        Clamp::Noise(a) | Clamp::Data(a) => clamped(a),
    };
    let tight = tight.mean();
    let terms: Vec<_> = WEIGHTS.iter().map(|&w| w as f32).zip([rec, idem, tight]).collect();
    let total = tape.linear_combination(&terms);
    let gradients = tape.gradient(total, &f.on(&tape)).unwrap();

    // The first pass computes the constants, and the second pass uses them.
    let mut inputs: BTreeMap<String, Vec<f64>> =
        [("constant f(z)", vec![0.0; BATCH * 36]), ("constant R", vec![1.0; BATCH])]
            .map(|(name, data)| (name.into(), data))
            .into();
    let first = interpret(&tape, &inputs);
    inputs.insert("constant f(z)".into(), first.get(fz).to_vec());
    let r = match objective.clamp {
        Clamp::Noise(_) => first.get(from_noise).to_vec(),
        _ => vec![first.get(rec)[0]; BATCH],
    };
    inputs.insert("constant R".into(), r);
    let values = interpret(&tape, &inputs);
    gradients.iter().map(|g| values.get(*g).to_vec()).collect()
}

#[test]
fn one_outer_application_gives_the_gradients_of_the_listing() {
    for (distance, dropout) in [(Distance::Mse, 0.0), (Distance::L1, 0.0), (Distance::Mse, 0.3)] {
        for clamp in [Clamp::None, Clamp::Noise(1.5), Clamp::Data(0.5)] {
            let objective = Objective { distance, clamp, dropout, ..Objective::default() };
            let tape = Tape::new();
            let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
            let inputs = [(Objective::WEIGHTS.to_string(), WEIGHTS.map(|w| f64::from(w as f32)).to_vec())];
            let values = interpret(&tape, &inputs.into());
            let listing = listing(objective);
            assert_eq!([step.parameters.len(), step.total.len()], [listing.len(); 2]);
            for ((parameter, found), expected) in step.parameters.iter().zip(&step.total).zip(listing) {
                for (f, e) in values.get(*found).iter().zip(&expected) {
                    assert!((f - e).abs() < 1e-7 * (1.0 + e.abs()), "{objective:?} {parameter:?}: {f} and {e}");
                }
            }
            let [rec, _, tight] = step.losses.map(|l| values.get(l)[0]);
            assert!(rec > 0.0 && tight < 0.0);
        }
    }
}

#[test]
fn several_batches_give_the_means_of_their_losses_and_gradients() {
    for network in [tiny(""), tiny("").conditional(2)] {
        means_of_several_batches(&network);
    }
    for count in [0, MOST_BATCHES + 1] {
        let objective = Objective::default();
        let refused = objective.record_batches(&Tape::new(), &tiny(""), [count, BATCH], IMAGE).err().unwrap();
        assert!(refused.to_string().contains("1 to 1024 batches"), "{refused}");
    }
}

fn means_of_several_batches(network: &Sequential) {
    const COUNT: usize = 3;
    let objective = Objective { clamp: Clamp::Noise(1.5), ..Objective::default() };
    let weights = (Objective::WEIGHTS.to_string(), WEIGHTS.map(|w| f64::from(w as f32)).to_vec());
    let elements = BATCH * IMAGE.iter().product::<usize>();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let [x, z] = [0, 1].map(|_| (0..COUNT * elements).map(|_| rng.random_range(-0.8..0.8)).collect::<Vec<f64>>());
    let labels: Vec<f64> = (0..COUNT * BATCH).flat_map(|i| if i % 4 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();

    let tape = Tape::new();
    let step = objective.record_batches(&tape, network, [COUNT, BATCH], IMAGE).unwrap();
    let all = [(Objective::LABELS.into(), labels.clone()), ("x".into(), x.clone()), ("z".into(), z.clone())];
    let mut inputs = BTreeMap::from(all);
    inputs.extend([weights.clone()]);
    let values = interpret(&tape, &inputs);
    let found: Vec<Vec<f64>> =
        step.total.iter().chain(&step.losses).chain([&step.variance]).map(|v| values.get(*v).to_vec()).collect();

    let mut expected: Vec<Vec<f64>> = found.iter().map(|f| vec![0.0; f.len()]).collect();
    for i in 0..COUNT {
        let tape = Tape::new();
        let step = objective.record(&tape, network, BATCH, IMAGE).unwrap();
        let part = |all: &[f64]| all[all.len() / COUNT * i..][..all.len() / COUNT].to_vec();
        let own =
            inputs.iter().map(|(name, all)| (name.clone(), if *name == weights.0 { all.clone() } else { part(all) }));
        let values = interpret(&tape, &own.collect());
        let one = step.total.iter().chain(&step.losses).chain([&step.variance]);
        for (sum, one) in expected.iter_mut().zip(one) {
            sum.iter_mut().zip(values.get(*one)).for_each(|(sum, one)| *sum += one / COUNT as f64);
        }
    }
    for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((f - e).abs() < 1e-6 * (1.0 + e.abs()), "{f} and {e}");
    }
    assert_eq!(values.get(step.w).len(), COUNT * elements);
}

/// The gradients of the three terms, with random inputs.
fn terms(objective: Objective) -> [Vec<f64>; 3] {
    let tape = Tape::new();
    let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
    let values = interpret(&tape, &BTreeMap::new());
    step.gradients.map(|term| term.iter().flat_map(|g| values.get(*g).to_vec()).collect())
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-7 * (1.0 + e.abs()), "{f} and {e}");
    }
}

/// The terms reach the parameters through f(z) only, with their weight.
#[test]
fn further_terms_are_part_of_idempotence() {
    let joined: [fn(f32) -> Objective; 2] = [
        |nearest| Objective { nearest, ..Objective::default() },
        |pulling_away| Objective { pulling_away, ..Objective::default() },
    ];
    for objective in joined {
        let [none, half, whole] = [0.0, 0.5, 1.0].map(|weight| terms(objective(weight)));
        assert!(none[0] == whole[0] && none[2] == whole[2]);
        assert!(none[1] != whole[1]);
        let middle: Vec<f64> = none[1].iter().zip(&whole[1]).map(|(n, w)| (n + w) / 2.0).collect();
        close(&half[1], &middle);
    }
}

/// The gradient of D(y, K′) with respect to y alone is 2(y − K′)/elements.
#[test]
fn a_purified_target_is_a_constant() {
    let tape = Tape::new();
    let objective = Objective { target: Target::Purified, ..Objective::default() };
    let TrainingStep { y, w, parameters, gradients, .. } = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
    let third = tiny("").apply(w, Mode::Batch);
    let off = tape.linear_combination(&[(1.0, y), (-3.0, w), (2.0, third)]);
    let expected = tape.vjp(y, 2.0 / y.shape().elements() as f32 * off, &parameters).unwrap();
    let values = interpret(&tape, &BTreeMap::new());
    for (found, expected) in gradients[1].iter().zip(expected) {
        close(values.get(*found), values.get(expected));
    }
    let [plain, purified] = [Objective::default(), objective].map(terms);
    assert!(plain[0] == purified[0] && plain[1] != purified[1] && plain[2] == purified[2]);
}

#[test]
fn balance_lowers_the_weight_of_tightness_where_idempotence_is_large() {
    let totals = |balance: f32, tight: f64| {
        let tape = Tape::new();
        let objective = Objective { balance, ..Objective::default() };
        let step = objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let weights = [WEIGHTS[0], WEIGHTS[1], tight].map(|w| f64::from(w as f32)).to_vec();
        let values = interpret(&tape, &[(Objective::WEIGHTS.to_string(), weights)].into());
        let losses = step.losses.map(|loss| values.get(loss)[0]);
        (losses, step.total.iter().flat_map(|g| values.get(*g).to_vec()).collect::<Vec<f64>>())
    };
    let ([rec, idem, _], _) = totals(0.0, 0.7);
    let gamma = 0.4 * idem / rec;
    close(&totals(gamma as f32, 0.7).1, &totals(0.0, 0.4 * 0.7).1);
    // No more than λ_tight.
    close(&totals(1.5 * (idem / rec) as f32, 0.7).1, &totals(0.0, 0.7).1);
}

#[test]
fn degraded_images_are_what_f_gets_and_not_what_it_should_give() {
    let [x, other] = [7, 11].map(|step| (0..BATCH * 36).map(|i| f64::from((i * step % 13) as u32) / 13.0).collect());
    let fx = |degraded: bool, given: &Vec<f64>| {
        let tape = Tape::new();
        let step = Objective { degraded, ..Objective::default() }.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let inputs = [("x", &x), (Objective::DEGRADED, given)].map(|(name, data)| (name.to_string(), data.clone()));
        let values = interpret(&tape, &inputs.into());
        let fx = values.get(step.fx).to_vec();
        let squares = fx.iter().zip(&x).map(|(f, x): (_, &f64)| (f - x).powi(2));
        close(values.get(step.losses[0]), &[squares.sum::<f64>() / fx.len() as f64]);
        fx
    };
    assert_eq!(fx(true, &x), fx(false, &other));
    assert_ne!(fx(true, &other), fx(false, &other));
}

#[test]
fn a_perceptual_distance_has_that_of_the_features_in_every_term() {
    let features = Sequential {
        layers: vec![Layer::Conv2d { inputs: 1, outputs: 2, kernel: 3, stride: 1, padding: 0 }, Layer::Flatten],
        name: "features.".into(),
    };
    for clamp in [Clamp::None, Clamp::Noise(1.5)] {
        let tape = Tape::new();
        let f = tiny("");
        let networks = Networks { f: &f, features: Some(&features) };
        let objective = Objective { perceptual: 0.5, clamp, ..Objective::default() };
        let step = objective.record_batches(&tape, networks, [1, BATCH], IMAGE).unwrap();
        assert_eq!(step.parameters.len(), f.parameters().len());
        let distance = |a: Var<'_>, b: Var<'_>| {
            let values = interpret(&tape, &BTreeMap::new());
            let [a, b] = [a, b].map(|v| values.get(v).to_vec());
            a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64
        };
        let of = |v| features.apply(v, Mode::Running(""));
        for (loss, [a, b]) in step.losses.into_iter().zip([[step.fx, step.x], [step.w, step.y]]) {
            let seen = [of(a), of(b)];
            let expected = distance(a, b) + 0.5 * distance(seen[0], seen[1]);
            let found = interpret(&tape, &BTreeMap::new()).get(loss)[0];
            assert!((found - expected).abs() < 1e-7, "{found} and {expected}");
        }
    }
    let (tape, objective) = (Tape::new(), Objective { perceptual: 0.5, ..Objective::default() });
    let alone = objective.record(&tape, &tiny(""), BATCH, IMAGE);
    assert!(alone.err().unwrap().to_string().contains("needs both features and a weight"));
}

#[test]
fn running_averages_move_in_the_order_of_the_applications() {
    let tape = Tape::new();
    let objective = Objective::default();
    objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
    let nodes = tape.nodes();
    let updates = nodes.iter().filter(|n| n.name() == "update_running");
    let names: Vec<_> = updates.map(|n| nodes[n.inputs[0]].name().to_string()).collect();
    let of = |role: &str, layer| [format!("{layer}.running_mean"), format!("{role}.{layer}.running_mean")];
    let expected: Vec<_> = ["image", "noise", "sample"].iter().flat_map(|r| [of(r, 3), of(r, 6)].concat()).collect();
    assert_eq!(names, expected);
}

#[test]
fn every_dropout_of_a_step_has_a_mask_of_its_own_and_without_it_there_is_no_trace_of_it() {
    let recorded = |dropout: f32| {
        let tape = Tape::new();
        let objective = Objective { dropout, ..Objective::default() };
        objective.record(&tape, &tiny(""), BATCH, IMAGE).unwrap();
        let inputs = tape.all(|n| matches!(n.source, Source::Input(_))).len();
        let nodes = tape.nodes();
        let forward = nodes.iter().filter(|n| n.name() == "dropout" && !n.backward);
        let ops: Vec<_> = forward.map(|n| format!("{:?}", n.source)).collect();
        (inputs, ops)
    };
    assert_eq!(recorded(0.0), (3, vec![]));
    let (inputs, mut ops) = recorded(0.5);
    // Dropout follows two activations in each of three applications.
    assert_eq!((inputs, ops.len()), (4, 6));
    ops.sort();
    ops.dedup();
    assert_eq!(ops.len(), 6, "{ops:?}");
}

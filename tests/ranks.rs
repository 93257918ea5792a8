//! Data-parallel training, with threads as ranks. scripts/mpi-test runs the same over MPI.

use ign::descent::{Descent, Recorded, Task};
use ign::error::Error;
use ign::gpu::Gpu;
use ign::method::{Objective, PREFIXES};
use ign::model::{Config, Preset};
use ign::native::open;
use ign::nn::{Adam, Layer, Sequential};
use ign::ranks::{Alone, Ranks};
use ign::tape::{Result, Tape};
use ign::train::Trainer;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Barrier, Mutex};

type Tensors = BTreeMap<String, Vec<f32>>;

fn gpu() -> Gpu {
    open(None).expect("the tests need an adapter")
}

/// One of several threads that communicate through `slots`, one per rank.
struct Thread {
    rank: usize,
    slots: Arc<(Mutex<Vec<Vec<u64>>>, Barrier)>,
}

impl Thread {
    /// The numbers of every rank.
    fn all(&self, own: Vec<u64>) -> Vec<Vec<u64>> {
        let (slots, barrier) = &*self.slots;
        slots.lock().unwrap()[self.rank] = own;
        barrier.wait();
        let all = slots.lock().unwrap().clone();
        barrier.wait();
        all
    }
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.slots.0.lock().unwrap().len()
    }

    fn local(&self) -> usize {
        self.rank
    }

    fn sum(&self, values: &mut [f32]) {
        let all = self.all(values.iter().map(|value| value.to_bits().into()).collect());
        for (i, value) in values.iter_mut().enumerate() {
            *value = all.iter().map(|values| f32::from_bits(values[i] as u32)).sum();
        }
    }

    fn gather(&self, value: u64) -> Vec<u64> {
        self.all(vec![value]).concat()
    }
}

/// Runs `work` on each of `count` ranks, and returns what it gives, by rank.
fn on<T: Send>(count: usize, work: impl Fn(Rc<dyn Ranks>) -> T + Sync) -> Vec<T> {
    let slots = Arc::new((Mutex::new(vec![vec![]; count]), Barrier::new(count)));
    std::thread::scope(|scope| {
        let start = |rank| {
            let (slots, work) = (slots.clone(), &work);
            scope.spawn(move || work(Rc::new(Thread { rank, slots })))
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The parameters and moments among `tensors`: what all ranks have alike.
fn alike(tensors: Tensors) -> Tensors {
    tensors.into_iter().filter(|(name, _)| !name.contains("running")).collect()
}

fn config() -> Config {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist").into();
    Config { data, width: 1, batch: 8, accumulate: 2, clip: 0.5, dropout: 0.1, ..Preset::Quick.config() }
}

fn trained(config: &Config, ranks: Rc<dyn Ranks>) -> Tensors {
    let mut trainer = Trainer::blocking_new_among(&gpu(), config, ranks).unwrap();
    (0..3).for_each(|_| trainer.blocking_advance().unwrap());
    trainer.blocking_losses().unwrap();
    trainer.blocking_checkpoint().unwrap().tensors
}

#[test]
fn replicas_are_equal_bit_for_bit() {
    let config = config();
    let alone = trained(&config, Rc::new(Alone));
    assert_eq!(on(1, |ranks| trained(&config, ranks))[0], alone);
    for count in [2, 4] {
        let all: Vec<_> = on(count, |ranks| trained(&config, ranks));
        // Each rank has the running averages of its own batches, which prove that the batches differ.
        assert!(all[1..].iter().all(|other| *other != all[0]), "the ranks have the same batches");
        let all: Vec<_> = all.into_iter().map(alike).collect();
        assert!(all[1..].iter().all(|other| *other == all[0]));
        assert_ne!(all[0], alike(alone.clone()), "batch norm depends on the shards");
    }
}

#[test]
fn a_training_resumes_with_another_number_of_ranks() {
    let config = config();
    let start = Trainer::blocking_new(&gpu(), &config).unwrap();
    for count in [1, 2] {
        let checkpoint = start.blocking_checkpoint().unwrap();
        let steps = on(count, |ranks| {
            let mut trainer = Trainer::blocking_resume_among(&gpu(), checkpoint.clone(), ranks).unwrap();
            if count > 1 {
                let error = trainer.blocking_losses().unwrap_err().to_string();
                assert!(error.contains("no step was taken since the start"), "{error}");
            }
            trainer.blocking_advance().unwrap();
            trainer.step()
        });
        assert_eq!(steps, vec![1; count]);
    }
}

#[test]
fn ranks_that_differ_are_named() {
    let error = |found: Vec<Error>| found.into_iter().map(|e| e.to_string()).collect::<Vec<_>>();
    let found = on(3, |ranks| {
        let config = Config { seed: if ranks.rank() == 2 { 5 } else { 1 }, batch: 6, ..config() };
        Trainer::blocking_new_among(&gpu(), &config, ranks).err().unwrap()
    });
    assert!(error(found).iter().all(|e| e.contains("after step 0, rank 2 has other settings than rank 0")));
    let found = on(3, |ranks| {
        let task = Plain { images: 6, ranks: ranks.clone() };
        let mut tensors = start();
        if ranks.rank() == 1 {
            // The sign of a zero is a difference too.
            tensors.get_mut("0.bias").unwrap()[0] = -0.0;
        }
        Descent::blocking_new(&gpu(), task, &tensors, 0).err().unwrap()
    });
    assert!(error(found).iter().all(|e| e.contains("rank 1 has other parameters or moments")));
    let found =
        on(2, |ranks| Trainer::blocking_new_among(&gpu(), &Config { batch: 7, ..config() }, ranks).err().unwrap());
    assert!(error(found).iter().all(|e| e.contains("is 7, and must be a multiple of the 2 ranks")));
}

#[test]
fn a_rank_stops_all() {
    assert_eq!(on(3, |ranks| ranks.any(ranks.rank() == 2)), [true; 3]);
    assert_eq!(on(3, |ranks| ranks.any(false)), [false; 3]);
}

/// The objective on a network without batch norm, so that images do not depend on each other.
struct Plain {
    /// Number of images over all ranks.
    images: usize,
    ranks: Rc<dyn Ranks>,
}

const IMAGE: [usize; 3] = [1, 6, 6];

impl Plain {
    fn network() -> Sequential {
        Sequential::new(vec![
            Layer::Conv2d { inputs: 1, outputs: 3, kernel: 4, stride: 2, padding: 1 },
            Layer::LeakyRelu(0.2),
            Layer::ConvTranspose2d { inputs: 3, outputs: 1, kernel: 4, stride: 2, padding: 1, output_padding: 0 },
            Layer::Tanh,
        ])
    }
}

impl Task for Plain {
    fn record<'t>(&self, tape: &'t Tape) -> Result<Recorded<'t>> {
        let objective = Objective::default();
        let step = objective.record(tape, &Self::network(), self.images / self.ranks.count(), IMAGE)?;
        let losses = vec![("rec", step.losses[0]), ("idem", step.losses[1])];
        Ok(Recorded { losses, parameters: step.parameters, gradients: step.total })
    }

    fn clip(&self) -> Option<f32> {
        Some(0.01)
    }

    fn adam(&self) -> Adam {
        // A large ε, so that rounding of small gradients is not amplified.
        Adam { learning_rate: 1e-2, epsilon: 1e-2, ..Adam::default() }
    }

    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
        let numbers = |offset: u64| -> Vec<f32> {
            let share = self.images / self.ranks.count() * 36;
            let first = self.ranks.rank() * share;
            (first..first + share).map(|i| ((i as u64 * 7919 + offset) % 200) as f32 / 100.0 - 1.0).collect()
        };
        vec![("x", numbers(done)), ("z", numbers(done + 31)), (Objective::WEIGHTS, vec![1.0, 1.0, 0.1])]
    }

    fn ranks(&self) -> Rc<dyn Ranks> {
        self.ranks.clone()
    }
}

fn start() -> Tensors {
    Plain::network().initialise(1, &PREFIXES)
}

#[test]
fn ranks_with_parts_of_a_batch_equal_one_with_the_whole() {
    let descend = |ranks: Rc<dyn Ranks>| {
        let task = Plain { images: 8, ranks };
        let tensors = start();
        let mut descent = Descent::blocking_new(&gpu(), task, &tensors, 0).unwrap();
        (0..5).for_each(|_| descent.blocking_advance().unwrap());
        (descent.blocking_losses().unwrap(), descent.blocking_tensors().unwrap())
    };
    let (losses, tensors) = descend(Rc::new(Alone));
    let close = |a: f32, b: f32| (a - b).abs() < 1e-5 * (1.0 + b.abs());
    for count in [2, 4] {
        for (found, parts) in on(count, descend) {
            assert!(losses.iter().zip(&found).all(|(a, b)| a.0 == b.0 && close(a.1, b.1)), "{losses:?} {found:?}");
            for (name, whole) in &tensors {
                let same = whole.iter().zip(&parts[name]).all(|(a, b)| close(*a, *b));
                assert!(same, "{name}, {count} ranks: {whole:?} {:?}", parts[name]);
            }
        }
    }
}

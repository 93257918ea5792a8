//! Gradient descent, shared by all trainings: a [`Task`] provides an objective and the inputs of each step, and a
//! [`Descent`] records and compiles a step once and runs it repeatedly. Several [`Ranks`] can descend together.

#[cfg(not(target_arch = "wasm32"))]
mod blocking;
mod shared;

use crate::compile::{Check, Compiled, Finding, compile};
use crate::error::Error;
use crate::gpu::{Gpu, MemoryReport, Profile, Store};
use crate::nn::{self, Adam};
use crate::ranks::{Alone, Ranks};
use crate::tape::{self, Tape, Var};
use shared::Shared;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A training task: an objective and the inputs of each step.
pub trait Task {
    /// Records losses and gradients.
    fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>>;

    /// Records operations after the parameter update; by default none.
    fn record_after(&self, _tape: &Tape) {}

    /// The bound of the global norm of all gradients; by default none.
    fn clip(&self) -> Option<f32> {
        None
    }

    /// The optimiser. Its step size is that of [`learning_rate`](Self::learning_rate).
    fn adam(&self) -> Adam;

    /// The step size of the optimiser after `done` steps; by default a constant.
    fn learning_rate(&self, done: u64) -> f64 {
        let _ = done;
        self.adam().learning_rate
    }

    /// Name and contents of every input of step `done` + 1, except the optimiser's. Every name must be an input of the
    /// tape.
    fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)>;

    /// The ranks that take each step together, each with its own inputs; by default this process alone. Losses and
    /// gradients are means over the ranks.
    fn ranks(&self) -> Rc<dyn Ranks> {
        Rc::new(Alone)
    }
}

/// A recorded step, up to the parameter update.
pub struct Recorded<'t> {
    /// Name and variable of each loss, with one element per loss.
    pub losses: Vec<(&'static str, Var<'t>)>,
    /// The parameters.
    pub parameters: Vec<Var<'t>>,
    /// The gradient of each parameter, in the order of the parameters.
    pub gradients: Vec<Var<'t>>,
}

/// A training with Adam: the compiled tape of a step, and the tensors that it updates.
pub struct Descent<T> {
    gpu: Gpu,
    task: T,
    store: Store,
    tape: Tape,
    program: Compiled,
    /// The rest of a step of several ranks. `program` then ends with the gradients.
    shared: Option<Shared>,
    losses: Vec<&'static str>,
    /// The losses of a last step that another program took.
    others: Option<Vec<Vec<f32>>>,
    step: u64,
    /// The inputs of the next step, once prepared.
    next: Option<Inputs>,
}

type Inputs = Vec<(&'static str, Vec<f32>)>;

/// Most steps that are submitted and not finished.
const SUBMITTED: u64 = 16;

impl<T: Task> Descent<T> {
    /// A training of `task` with the state `tensors` after `done` steps. If `done` is 0, `tensors` may omit the
    /// optimiser's moments, which are then zero.
    ///
    /// # Errors
    /// If the tape cannot be recorded or compiled, the task does not give every input, a tensor is missing, the ranks
    /// have different tensors, or the adapter fails.
    pub async fn new(gpu: &Gpu, mut task: T, tensors: &BTreeMap<String, Vec<f32>>, done: u64) -> Result<Self, Error> {
        let tape = Tape::new();
        let mut store = Store::new();
        let (program, shared, losses) = {
            let recorded = task.record(&tape)?;
            if let Some((name, loss)) = recorded.losses.iter().find(|(_, loss)| loss.shape().elements() != 1) {
                return Err(Error::Unsuited(format!("the loss {name} must be a single number, and is {loss:?}")));
            }
            if done == 0 {
                store.set_all(gpu, Adam::initial(&recorded.parameters)).await?;
            }
            store.set_all(gpu, tensors).await?;
            let losses = recorded.losses.iter().map(|(name, _)| *name).collect();
            if task.ranks().count() == 1 {
                update(&task, &tape, &recorded);
                (compile(gpu, &store, &tape, &recorded.losses).await?, None, losses)
            } else {
                let shared = Shared::new(gpu, &store, &task, &recorded).await?;
                shared.compare(&store, done).await?;
                let values = recorded.losses.iter().map(|(_, loss)| *loss).chain(recorded.gradients.iter().copied());
                let outputs: Vec<_> = shared.outputs().iter().map(String::as_str).zip(values).collect();
                (compile(gpu, &store, &tape, &outputs).await?, Some(shared), losses)
            }
        };
        // An input that is not given would be zeros.
        let first = inputs(&mut task, done);
        let given = |name: &str| first.iter().any(|(given, _)| *given == name);
        let rest = shared.iter().flat_map(Shared::inputs);
        if let Some(missing) = program.inputs().chain(rest).find(|name| !given(name)) {
            let text = format!("the step needs the input `{missing}`, and the task does not give it");
            return Err(Error::Unsuited(text));
        }
        let (gpu, next) = (gpu.clone(), Some(first));
        Ok(Self { gpu, task, store, tape, program, shared, losses, others: None, step: done, next })
    }

    /// The task.
    pub fn task(&self) -> &T {
        &self.task
    }

    /// The task, to be changed. Changes hold from the next step on.
    pub fn task_mut(&mut self) -> &mut T {
        self.next = None;
        &mut self.task
    }

    /// The number of completed steps.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The tensors, updated by every step.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads the contents of all tensors by name.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn tensors(&self) -> Result<BTreeMap<String, Vec<f32>>, Error> {
        Ok(self.store.read(&self.gpu).await?)
    }

    /// Reads the contents of all tensors by name, to be saved: parameters, moments and running averages.
    ///
    /// # Errors
    /// If a tensor is not finite, or the adapter fails.
    pub async fn finite_tensors(&self) -> Result<BTreeMap<String, Vec<f32>>, Error> {
        let tensors = self.tensors().await?;
        let spoiled = tensors.iter().find_map(|(name, values)| Some((name, values.iter().find(|x| !x.is_finite())?)));
        match spoiled {
            Some((name, value)) => {
                Err(Error::NotFinite { step: self.step, what: format!("`{name}` contains {value}") })
            }
            None => Ok(tensors),
        }
    }

    /// The memory for the intermediate values of a step.
    pub fn memory(&self) -> MemoryReport {
        self.program.memory()
    }

    /// Submits one step and prepares the inputs of the next one. Waits for the adapter only once in 16 steps, so that no more
    /// of them, with their inputs, are kept for it.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn advance(&mut self) -> Result<(), Error> {
        if self.step.is_multiple_of(SUBMITTED) {
            self.gpu.idle().await?;
        }
        let inputs = self.inputs();
        self.write(&inputs)?;
        self.program.run()?;
        self.step += 1;
        if let Some(shared) = &mut self.shared {
            shared.advance(&self.program, &self.store, self.step).await?;
        }
        self.next = Some(self.inputs());
        Ok(())
    }

    /// Reads name and value of each loss of the last step.
    ///
    /// # Errors
    /// If a loss is not finite, several ranks have taken no step since the start, or the adapter fails.
    pub async fn losses(&self) -> Result<Vec<(&'static str, f32)>, Error> {
        let values = match (&self.others, &self.shared) {
            (Some(values), _) => values.clone(),
            (None, Some(shared)) => shared.losses(),
            (None, None) => self.program.read(&self.losses).await?,
        };
        if values.len() < self.losses.len() {
            return Err(Error::Unsuited(
                "no step was taken since the start, so that there are no losses; advance first".into(),
            ));
        }
        let losses: Vec<_> = self.losses.iter().zip(values).map(|(name, value)| (*name, value[0])).collect();
        if losses.iter().all(|(_, loss)| loss.is_finite()) {
            return Ok(losses);
        }
        let text: Vec<_> = losses.iter().map(|(name, loss)| format!("{name} {loss}")).collect();
        Err(Error::NotFinite { step: self.step, what: format!("the losses are {}", text.join(", ")) })
    }

    /// Runs one step and measures the time of every operation.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn profile(&mut self) -> Result<Profile, Error> {
        self.check_alone()?;
        let inputs = self.inputs();
        self.write(&inputs)?;
        let profile = self.program.profile().await?;
        self.step += 1;
        Ok(profile)
    }

    /// Runs one step line by line, up to the first line that fails `check`. After a finding the tensors are those of a part of
    /// the step, which does not count as completed.
    ///
    /// # Errors
    /// If the adapter fails.
    pub async fn check(&mut self, check: Check) -> Result<Option<Finding>, Error> {
        self.check_alone()?;
        let inputs = self.inputs();
        self.write(&inputs)?;
        let finding = self.program.check(&self.tape, check).await?;
        self.step += u64::from(finding.is_none());
        Ok(finding)
    }

    /// Runs one step on another tape with the objective recorded up to the parameter update. Returns the contents of
    /// `outputs`.
    ///
    /// # Errors
    /// If the tape cannot be compiled, or the adapter fails.
    pub async fn advance_on(
        &mut self,
        tape: &Tape,
        recorded: &Recorded<'_>,
        outputs: &[(&str, Var<'_>)],
    ) -> Result<Vec<Vec<f32>>, Error> {
        self.check_alone()?;
        update(&self.task, tape, recorded);
        let losses = recorded.losses.iter().map(|(name, loss)| (format!("{name} of this step"), *loss));
        let losses: Vec<_> = losses.collect();
        let all = losses.iter().map(|(name, loss)| (name.as_str(), *loss)).chain(outputs.iter().copied());
        let all: Vec<_> = all.collect();
        let program = compile(&self.gpu, &self.store, tape, &all).await?;
        for (name, contents) in self.inputs() {
            program.write(name, &contents)?;
        }
        program.run()?;
        self.step += 1;
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        let mut values = program.read(&names).await?;
        let contents = values.split_off(losses.len());
        self.others = Some(values);
        Ok(contents)
    }

    /// Writes the inputs of a step.
    fn write(&self, inputs: &Inputs) -> Result<(), Error> {
        for (name, contents) in inputs {
            let rest = self.shared.as_ref().is_some_and(|shared| shared.inputs().any(|input| input == *name));
            // A name that no tape has is an error of the first program.
            if !rest || self.program.inputs().any(|input| input == *name) {
                self.program.write(name, contents)?;
            }
            if let Some(shared) = self.shared.as_ref().filter(|_| rest) {
                shared.write(name, contents)?;
            }
        }
        Ok(())
    }

    /// Fails if a step is not a single program.
    fn check_alone(&self) -> Result<(), Error> {
        match self.shared {
            Some(_) => Err(Error::Unsuited("a step of several ranks is two programs; run one rank for this".into())),
            None => Ok(()),
        }
    }

    /// Takes the inputs of the next step, or prepares them.
    fn inputs(&mut self) -> Inputs {
        self.others = None;
        self.next.take().unwrap_or_else(|| inputs(&mut self.task, self.step))
    }
}

/// The inputs of step `done` + 1, those of the optimiser included.
fn inputs<T: Task>(task: &mut T, done: u64) -> Inputs {
    let mut inputs = task.inputs(done);
    let adam = Adam { learning_rate: task.learning_rate(done), ..task.adam() };
    inputs.push((Adam::RATES, adam.rates(done + 1).to_vec()));
    inputs
}

/// Records the update of the parameters with the clipped gradients, and the operations after it.
fn update<T: Task>(task: &T, tape: &Tape, recorded: &Recorded<'_>) {
    let clipped = task.clip().map(|limit| nn::clip(&recorded.gradients, limit));
    task.adam().record(tape, &recorded.parameters, clipped.as_deref().unwrap_or(&recorded.gradients));
    task.record_after(tape);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gpu;

    /// A task that moves w towards an input `x` that changes at each step.
    struct Follow;

    impl Task for Follow {
        fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
            let (w, x) = (tape.state("w", [1]), tape.input("x", [1]));
            let loss = w.mse(x);
            Ok(Recorded { losses: vec![("mse", loss)], parameters: vec![w], gradients: tape.gradient(loss, &[w])? })
        }

        fn adam(&self) -> Adam {
            Adam { learning_rate: 0.5, beta1: 0.5, ..Adam::default() }
        }

        fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
            vec![("x", vec![10.0 + done as f32])]
        }
    }

    fn start() -> Descent<Follow> {
        Descent::blocking_new(gpu(), Follow, &[("w".to_string(), vec![0.0])].into(), 0).unwrap()
    }

    #[test]
    fn every_step_has_its_inputs_and_goes_down_the_gradient() {
        let mut descent = start();
        let losses = (0..3).map(|_| {
            descent.blocking_advance().unwrap();
            descent.blocking_losses().unwrap()[0]
        });
        // The length of Adam's first steps is about the learning rate.
        let expected = [10.0f32, 10.5, 11.0].map(|distance| distance * distance);
        for ((name, loss), expected) in losses.zip(expected) {
            assert!(name == "mse" && (loss - expected).abs() < 0.1, "{loss} {expected}");
        }
        assert_eq!(descent.step(), 3);
        assert!((descent.blocking_tensors().unwrap()["w"][0] - 1.5).abs() < 0.02);
    }

    /// The task with an input that it does not give.
    struct Forgetful;

    impl Task for Forgetful {
        fn record<'t>(&self, tape: &'t Tape) -> tape::Result<Recorded<'t>> {
            tape.input("y", [1]);
            Follow.record(tape)
        }

        fn adam(&self) -> Adam {
            Follow.adam()
        }

        fn inputs(&mut self, done: u64) -> Vec<(&'static str, Vec<f32>)> {
            Follow.inputs(done)
        }
    }

    #[test]
    fn a_task_that_forgets_an_input_is_refused() {
        let error = Descent::blocking_new(gpu(), Forgetful, &[("w".to_string(), vec![0.0])].into(), 0).err().unwrap();
        assert!(error.to_string().contains("needs the input `y`"), "{error}");
    }

    #[test]
    fn a_step_of_any_kind_is_a_step() {
        let mut plain = start();
        (0..4).for_each(|_| plain.blocking_advance().unwrap());
        let mut other = start();
        other.blocking_advance().unwrap();
        other.blocking_profile().unwrap();
        assert_eq!(other.blocking_check(Check::Finite).unwrap(), None);
        let tape = Tape::new();
        let recorded = Follow.record(&tape).unwrap();
        let loss = other.blocking_advance_on(&tape, &recorded, &recorded.losses).unwrap();
        assert_eq!(loss[0][0], plain.blocking_losses().unwrap()[0].1);
        assert_eq!(other.blocking_losses().unwrap(), plain.blocking_losses().unwrap());
        assert_eq!(
            (other.step(), other.blocking_tensors().unwrap()),
            (plain.step(), plain.blocking_tensors().unwrap())
        );
    }

    #[test]
    fn what_is_not_finite_is_an_error() {
        let mut descent = start();
        descent.blocking_advance().unwrap();
        assert_eq!(descent.blocking_finite_tensors().unwrap(), descent.blocking_tensors().unwrap());
        let mut tensors = descent.blocking_tensors().unwrap();
        tensors.insert("adam.v.w".into(), vec![f32::INFINITY]);
        let error = Descent::blocking_new(gpu(), Follow, &tensors, 1)
            .unwrap()
            .blocking_finite_tensors()
            .unwrap_err()
            .to_string();
        assert!(error.contains("at step 1, `adam.v.w` contains inf"), "{error}");
        tensors.insert("w".into(), vec![1e30]);
        let mut descent = Descent::blocking_new(gpu(), Follow, &tensors, 1).unwrap();
        descent.blocking_advance().unwrap();
        let error = descent.blocking_losses().unwrap_err().to_string();
        assert!(error.contains("at step 2, the losses are mse inf"), "{error}");
        // A step that stops at a finding is none.
        let mut descent = Descent::blocking_new(gpu(), Follow, &tensors, 1).unwrap();
        assert!(descent.blocking_check(Check::Finite).unwrap().is_some());
        assert_eq!(descent.step(), 1);
    }

    #[test]
    fn a_training_goes_on_only_with_all_of_its_tensors() {
        let mut tensors = start().blocking_tensors().unwrap();
        assert!(Descent::blocking_new(gpu(), Follow, &tensors, 7).is_ok());
        tensors.remove("adam.v.w");
        let error = Descent::blocking_new(gpu(), Follow, &tensors, 7).err().unwrap().to_string();
        assert!(error.contains("adam.v.w"), "{error}");
    }
}

use super::Trainer;
use super::task::recorded;
use crate::error::Error;
use crate::files::safetensors;
use crate::model::Checkpoint;
use crate::tape::Tape;
use std::collections::HashMap;
use std::path::Path;

impl Trainer {
    /// Runs one step and writes its values to a safetensors file: `x`, `z`, `y` = f(z), `w` = f(y), the unweighted
    /// losses `loss.*`, the unweighted gradients per term `grad.{rec,idem,tight}.*`, the total gradients
    /// `grad.total.*`, and all tensors of the store before and after the step, `before.*` and `after.*`.
    ///
    /// # Errors
    /// If the adapter fails, or the file cannot be written.
    pub fn trace(&mut self, path: &Path) -> Result<(), Error> {
        let tape = Tape::new();
        let step = self.descent.task().step(&tape)?;
        let mut named = vec![("x".into(), step.x), ("z".into(), step.z), ("y".into(), step.y), ("w".into(), step.w)];
        for ((term, loss), gradients) in ["rec", "idem", "tight"].iter().zip(step.losses).zip(&step.gradients) {
            named.push((format!("loss.{term}"), loss));
            named.extend(step.parameters.iter().zip(gradients).map(|(p, g)| (format!("grad.{term}.{}", p.name()), *g)));
        }
        named.extend(step.parameters.iter().zip(&step.total).map(|(p, g)| (format!("grad.total.{}", p.name()), *g)));
        let outputs: Vec<_> = named.iter().map(|(name, var)| (name.as_str(), *var)).collect();

        let before = self.descent.blocking_tensors()?;
        let contents = self.descent.blocking_advance_on(&tape, &recorded(&step), &outputs)?;
        let after = self.descent.blocking_tensors()?;
        let shapes = Checkpoint::shapes(self.config());
        let mut tensors: Vec<safetensors::Named<'_>> = vec![];
        for (when, state) in [("before", &before), ("after", &after)] {
            let shape = |name: &String, values: &[f32]| {
                shapes.get(name).map_or_else(|| vec![values.len()], |shape| shape.dims().to_vec())
            };
            tensors.extend(
                state.iter().map(|(name, values)| (format!("{when}.{name}"), shape(name, values), &values[..])),
            );
        }
        let kept = named.iter().zip(&contents);
        tensors.extend(kept.map(|((name, var), values)| (name.clone(), var.shape().dims().to_vec(), &values[..])));
        Ok(safetensors::write(path, &tensors, HashMap::new())?)
    }
}

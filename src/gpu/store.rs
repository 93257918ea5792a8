use super::{Buffer, Gpu, GpuError, Result};
use std::collections::BTreeMap;

/// Persistent tensors by name: parameters, running averages, optimiser moments. They outlive programs, and several
/// programs work on the same ones.
#[derive(Clone, Default)]
pub struct Store(BTreeMap<String, Buffer>);

impl Store {
    /// A store without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor, or replaces the contents of the one there.
    pub async fn set(&mut self, gpu: &Gpu, name: &str, contents: &[f32]) -> Result<()> {
        match self.0.get(name) {
            Some(buffer) => gpu.write(name, buffer, contents),
            None => {
                let buffer = gpu.buffer(name, contents.len(), Some(contents)).await?;
                self.0.insert(name.into(), buffer);
                Ok(())
            }
        }
    }

    /// The contents of every tensor, in one wait.
    pub async fn read(&self, gpu: &Gpu) -> Result<BTreeMap<String, Vec<f32>>> {
        let buffers: Vec<_> = self.0.values().collect();
        let contents = gpu.read(&buffers).await?;
        Ok(self.0.keys().cloned().zip(contents).collect())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The buffer called `name`, which must have `elements`.
    pub fn get(&self, name: &str, elements: usize) -> Result<&Buffer> {
        let error = |found: String| GpuError::State { name: name.into(), expected: elements, found };
        match self.0.get(name) {
            Some(buffer) if buffer.elements() == elements => Ok(buffer),
            Some(buffer) => Err(error(format!("one of {}", buffer.elements()))),
            None => Err(error("none of that name".into())),
        }
    }
}

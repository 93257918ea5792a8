use super::{Buffer, Gpu, GpuError, Result};
use std::collections::BTreeMap;

/// Persistent tensors by name: parameters, running averages, optimiser moments. They outlive programs, and several
/// programs can share them. Clones share the tensors that they have in common.
#[derive(Clone, Default)]
pub struct Store(BTreeMap<String, Buffer>);

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor, or replaces the contents of the existing tensor of this name.
    ///
    /// # Errors
    /// An existing tensor with another number of elements; a size beyond the limits; no memory; a lost adapter.
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

    /// [Sets](Self::set) each of these tensors by its name.
    ///
    /// # Errors
    /// As [`set`](Self::set). The tensors before the one that failed are set.
    pub async fn set_all<N: AsRef<str>, C: AsRef<[f32]>>(
        &mut self,
        gpu: &Gpu,
        tensors: impl IntoIterator<Item = (N, C)>,
    ) -> Result<()> {
        for (name, contents) in tensors {
            self.set(gpu, name.as_ref(), contents.as_ref()).await?;
        }
        Ok(())
    }

    /// Reads all tensors.
    pub async fn read(&self, gpu: &Gpu) -> Result<BTreeMap<String, Vec<f32>>> {
        let buffers: Vec<_> = self.0.values().collect();
        let contents = gpu.read(&buffers).await?;
        Ok(self.0.keys().cloned().zip(contents).collect())
    }

    /// The names of the tensors, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The tensor called `name`, with `elements` f32.
    ///
    /// # Errors
    /// No tensor of this name, or another number of elements.
    pub fn get(&self, name: &str, elements: usize) -> Result<&Buffer> {
        let error = |found: String| GpuError::State { name: name.into(), expected: elements, found };
        match self.0.get(name) {
            Some(buffer) if buffer.elements() == elements => Ok(buffer),
            Some(buffer) => Err(error(format!("a tensor of {}", buffer.elements()))),
            None => Err(error("no tensor of this name".into())),
        }
    }
}

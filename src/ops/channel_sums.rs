//! Sums over all pixels of each channel, in two dispatches: partial sums, and results from the partial sums. A kernel
//! combines `shared/channel_sums.wgsl` with a file that defines the terms and the results.

use super::lower::{GRID, LANES, Lowering, PAGE, WORKGROUP};
use crate::gpu::{Caps, Kernel, Params, Specialisation, ValueId, Wgsl};
use crate::shader;
use crate::tape::Shape;

/// The extents `[N, C, pixels]` of a tensor `[N, C, …]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extents {
    pub images: usize,
    pub channels: usize,
    pub pixels: usize,
}

impl Extents {
    /// The extents of x.
    ///
    /// # Errors
    /// A shape that is not `[N, C, …]`, or has no elements.
    pub fn of(x: &Shape) -> Result<Self, String> {
        match x.dims() {
            [images, channels, rest @ ..] if x.elements() > 0 => {
                Ok(Self { images: *images, channels: *channels, pixels: rest.iter().product() })
            }
            _ => Err("the input must be [N, C, …] and have elements".into()),
        }
    }

    /// The extents of an operand that a shape rule has accepted.
    pub fn accepted(x: &Shape) -> Self {
        Self::of(x).expect("the shape rule accepted these extents")
    }

    /// The extents of contiguous rows of `pixels` elements, with each row as a channel.
    pub fn rows(rows: usize, pixels: usize) -> Self {
        Self { images: 1, channels: rows, pixels }
    }

    /// Number of elements per channel.
    pub fn count(self) -> usize {
        self.images * self.pixels
    }

    pub fn channel_of(self, i: usize) -> usize {
        i / self.pixels % self.channels
    }
}

/// A tensor with two binding names: for access by elements, and for access by vectors of four elements.
pub(super) type Operand = ([&'static str; 2], ValueId);

/// The sums per channel on an adapter.
pub(super) struct ChannelSums<'a> {
    /// WGSL that defines the terms and the results.
    sources: &'a [Wgsl],
    constants: &'a [Specialisation],
    extents: Extents,
    split: Division,
}

impl<'a> ChannelSums<'a> {
    pub fn new(caps: &Caps, extents: Extents, sources: &'a [Wgsl], constants: &'a [Specialisation]) -> Self {
        Self { sources, constants, extents, split: Division::choose(caps, extents) }
    }

    /// Number of parts per channel.
    pub fn parts(&self) -> usize {
        self.split.parts
    }

    /// Adds the dispatch of the partial sums, with `flops` floating-point operations in total, and returns them.
    pub fn partial(
        &self,
        at: &mut Lowering<'_>,
        operands: &[Operand],
        others: &[(&'static str, ValueId)],
        params: impl Into<Params>,
        flops: usize,
    ) -> ValueId {
        let Division { entry, vectors, neighbours, workgroup, workgroups, parts } = self.split;
        let sums = at.scratch(2 * self.extents.channels * parts);
        let mut bindings: Vec<_> = operands.iter().map(|(names, id)| (names[usize::from(vectors)], *id)).collect();
        bindings.extend(others);
        bindings.push(("sums", sums));
        // Access by elements does not depend on `WHOLE`; a constant value avoids compiling a second kernel.
        let whole = vectors && self.extents.pixels.is_multiple_of(4);
        let kernel = self.kernel(entry, workgroup, neighbours, whole);
        at.run(kernel, &bindings, params, workgroups, flops).turns = self.split.turns(self.extents);
        sums
    }

    /// Adds the dispatch that computes the results from the partial sums, with one invocation per channel.
    pub fn finish(
        &self,
        at: &mut Lowering<'_>,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) {
        let workgroups = self.extents.channels.div_ceil(WORKGROUP as usize);
        at.run(self.kernel(entry, WORKGROUP, 1, false), bindings, params, workgroups, 0).turns = self.parts() as u64;
    }

    fn kernel(&self, entry: &'static str, workgroup: u32, neighbours: usize, whole: bool) -> Kernel {
        let shared = [GRID, shader!("shared/divide.wgsl"), shader!("shared/channel_sums.wgsl")];
        let own = [
            Specialisation::U32("WORKGROUP", workgroup),
            Specialisation::U32("NEIGHBOURS", neighbours as u32),
            Specialisation::Bool("WHOLE", whole),
        ];
        let subgroup: &[Wgsl] = match entry {
            BY_SUBGROUPS => &[shader!("shared/channel_sums_subgroup.wgsl")],
            _ => &[],
        };
        Kernel::new(&[&shared, subgroup, self.sources].concat(), entry, &[&own, self.constants].concat())
    }
}

/// The entry point for GPUs with subgroup operations.
const BY_SUBGROUPS: &str = "sum_pixels_by_subgroups";
/// Most pixels of a part. It bounds the loop turns of an invocation, and the rounding of the variance of a part.
const RUN: usize = 1 << 12;

/// Most elements of a channel for which a GPU gives it one invocation: too few for a workgroup.
const SHORT: usize = 64;

/// The division of the sums among workgroups and invocations.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Division {
    entry: &'static str,
    /// Whether tensors are read by vectors of four elements.
    vectors: bool,
    /// Number of adjacent channels per invocation.
    neighbours: usize,
    workgroup: u32,
    workgroups: usize,
    parts: usize,
}

impl Division {
    /// One invocation per part of `neighbours` channels.
    fn runs(extents: Extents, parts: usize, neighbours: usize, workgroup: u32) -> Self {
        let workgroups = (extents.channels / neighbours * parts).div_ceil(workgroup as usize);
        Self { entry: "sum_runs", vectors: true, neighbours, workgroup, workgroups, parts }
    }

    /// Upper bound of the loop turns of an invocation that computes partial sums.
    fn turns(self, extents: Extents) -> u64 {
        let run = extents.count().div_ceil(self.parts).next_multiple_of(4);
        match self.vectors {
            // For every image that the run touches: a turn, and per neighbour a turn and the vectors of the plane.
            true => {
                let images = run.div_ceil(extents.pixels) + 1;
                let vectors = run.min(extents.pixels).div_ceil(4) + 1;
                (self.neighbours + images * (1 + self.neighbours * (1 + vectors))) as u64
            }
            false => (run.div_ceil(self.workgroup as usize) + 2 * self.workgroup as usize) as u64,
        }
    }

    fn choose(caps: &Caps, extents: Extents) -> Self {
        let (channels, count) = (extents.channels, extents.count());
        if caps.software {
            // Several invocations for every lane of every core, each with at least about 256 elements.
            // For long planes each part has about a page of memory or more, so that lanes read different pages.
            let parts = 512usize.div_ceil(channels).min(count.div_ceil(extents.pixels.clamp(256, PAGE)));
            let parts = parts.max(count.div_ceil(RUN));
            // For these sizes four planes fill about a page or more, and a single plane does not.
            let neighbours = if channels.is_multiple_of(4) && (192..768).contains(&extents.pixels) { 4 } else { 1 };
            Self::runs(extents, parts, neighbours, LANES)
        } else if count <= SHORT {
            Self::runs(extents, 1, 1, WORKGROUP)
        } else {
            // Several workgroups for every core, each with at least four elements per invocation if it is split.
            let workgroup = 256;
            let parts = 256usize.div_ceil(channels).min(count / (4 * workgroup as usize)).max(count.div_ceil(4 * RUN));
            let entry = if caps.subgroup.is_some() { BY_SUBGROUPS } else { "sum_pixels" };
            Self { entry, vectors: false, neighbours: 1, workgroup, workgroups: channels * parts, parts }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_follows_the_adapter_and_the_shape() {
        let extents = |images, channels, pixels| Extents { images, channels, pixels };
        let parts = |caps: &Caps, e| Division::choose(caps, e).parts;
        let (software, gpu) = (Caps::software(8), Caps::minimal());
        assert_eq!(parts(&software, extents(64, 32, 196)), 16);
        assert_eq!(parts(&software, extents(1, 32, 196)), 1);
        assert_eq!(parts(&software, extents(64, 512, 4)), 1);
        assert_eq!(parts(&software, extents(1, 1, 50_176)), 49);
        assert_eq!(parts(&software, extents(1, 1, 1 << 25)), 1 << 13);
        assert_eq!(parts(&gpu, extents(64, 32, 196)), 8);
        assert_eq!(parts(&gpu, extents(64, 512, 4)), 1);
        assert_eq!(parts(&gpu, extents(2, 3, 4)), 1);
        assert_eq!(parts(&gpu, extents(1, 512, 1 << 16)), 4);

        let neighbours = |caps: &Caps, e| Division::choose(caps, e).neighbours;
        assert_eq!(neighbours(&software, extents(64, 32, 196)), 4);
        assert_eq!(neighbours(&software, extents(64, 30, 196)), 1);
        assert_eq!(neighbours(&software, extents(64, 64, 49)), 1);
        assert_eq!(neighbours(&software, extents(1, 64, 784)), 1);
        assert_eq!(neighbours(&gpu, extents(64, 32, 196)), 1);
    }
}

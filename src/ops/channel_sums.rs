//! Sums over all pixels of each channel, in two dispatches: partial sums, and what becomes of them. A kernel is
//! `shared/channel_sums.wgsl` with a file that says what is summed.

use super::lower::{GRID, LANES, Lowering, PAGE, WORKGROUP};
use crate::gpu::{Caps, Constant, Kernel, Params, Source, ValueId};
use crate::shader;
use crate::tape::Shape;

/// `[N, C, pixels]` of a tensor `[N, C, …]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extents {
    pub images: usize,
    pub channels: usize,
    pub pixels: usize,
}

impl Extents {
    pub fn of(x: &Shape) -> Result<Self, String> {
        match x.dims() {
            [images, channels, rest @ ..] if x.elements() > 0 => {
                Ok(Self { images: *images, channels: *channels, pixels: rest.iter().product() })
            }
            _ => Err("the input must be [N, C, …] and have elements".into()),
        }
    }

    /// Rows of `pixels` elements, one after the other.
    pub fn rows(rows: usize, pixels: usize) -> Self {
        Self { images: 1, channels: rows, pixels }
    }

    /// Elements of a channel.
    pub fn count(self) -> usize {
        self.images * self.pixels
    }

    pub fn channel_of(self, i: usize) -> usize {
        i / self.pixels % self.channels
    }
}

/// A tensor under the name that its elements are read by, and under that of its vectors of four.
pub(super) type Operand = ([&'static str; 2], ValueId);

/// Sums over channels, for an adapter.
pub(super) struct ChannelSums<'a> {
    /// What is summed, and what becomes of it.
    sources: &'a [Source],
    constants: &'a [Constant],
    extents: Extents,
    split: Split,
}

impl<'a> ChannelSums<'a> {
    pub fn new(caps: &Caps, extents: Extents, sources: &'a [Source], constants: &'a [Constant]) -> Self {
        Self { sources, constants, extents, split: Split::choose(caps, extents) }
    }

    /// Parts of a channel.
    pub fn parts(&self) -> usize {
        self.split.parts
    }

    /// Adds the dispatch of the partial sums, and returns them. `flops` are done together.
    pub fn partial(
        &self,
        at: &mut Lowering<'_>,
        operands: &[Operand],
        others: &[(&'static str, ValueId)],
        params: impl Into<Params>,
        flops: usize,
    ) -> ValueId {
        let Split { entry, vectors, neighbours, workgroup, workgroups, parts } = self.split;
        let sums = at.scratch(2 * self.extents.channels * parts);
        let mut bindings: Vec<_> = operands.iter().map(|(names, id)| (names[usize::from(vectors)], *id)).collect();
        bindings.extend(others);
        bindings.push(("sums", sums));
        // One kernel does for all shapes where elements are read one by one.
        let whole = vectors && self.extents.pixels.is_multiple_of(4);
        at.run(self.kernel(entry, workgroup, neighbours, whole), &bindings, params, workgroups, flops);
        sums
    }

    /// Adds the dispatch that makes results of the partial sums, one invocation a channel.
    pub fn finish(
        &self,
        at: &mut Lowering<'_>,
        entry: &'static str,
        bindings: &[(&'static str, ValueId)],
        params: impl Into<Params>,
    ) {
        let workgroups = self.extents.channels.div_ceil(WORKGROUP as usize);
        at.run(self.kernel(entry, WORKGROUP, 1, false), bindings, params, workgroups, 0);
    }

    fn kernel(&self, entry: &'static str, workgroup: u32, neighbours: usize, whole: bool) -> Kernel {
        let shared = [GRID, shader!("shared/divide.wgsl"), shader!("shared/channel_sums.wgsl")];
        let own = [
            Constant::U32("WORKGROUP", workgroup),
            Constant::U32("NEIGHBOURS", neighbours as u32),
            Constant::Bool("WHOLE", whole),
        ];
        Kernel::new(&[&shared, self.sources].concat(), entry, &[&own, self.constants].concat())
    }
}

/// How the sums are divided.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    entry: &'static str,
    /// Whether tensors are read by vectors of four.
    vectors: bool,
    /// Channels that an invocation takes at a time.
    neighbours: usize,
    workgroup: u32,
    workgroups: usize,
    parts: usize,
}

impl Split {
    fn choose(caps: &Caps, extents: Extents) -> Self {
        let (channels, count) = (extents.channels, extents.count());
        if caps.software {
            // Some invocations for every lane of every core, none with next to nothing to do.
            // Where planes are long enough, a run is a page of memory at least, so that lanes read different ones.
            let parts = 512usize.div_ceil(channels).min(count.div_ceil(extents.pixels.clamp(256, PAGE)));
            // Of these sizes, four planes reach that, or nearly, but one does not.
            let neighbours = if channels.is_multiple_of(4) && (192..768).contains(&extents.pixels) { 4 } else { 1 };
            let workgroups = (channels / neighbours * parts).div_ceil(LANES as usize);
            Self { entry: "sum_runs", vectors: true, neighbours, workgroup: LANES, workgroups, parts }
        } else {
            // Some workgroups for every core, each with some elements an invocation.
            let workgroup = 256;
            let parts = 256usize.div_ceil(channels).min(count / (4 * workgroup as usize)).max(1);
            let entry = if caps.subgroup.is_some() { "sum_pixels_by_subgroups" } else { "sum_pixels" };
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
        let parts = |caps: &Caps, e| Split::choose(caps, e).parts;
        let (software, gpu) = (Caps::software(8), Caps::minimal());
        assert_eq!(parts(&software, extents(64, 32, 196)), 16);
        assert_eq!(parts(&software, extents(1, 32, 196)), 1);
        assert_eq!(parts(&software, extents(64, 512, 4)), 1);
        assert_eq!(parts(&software, extents(1, 1, 50_176)), 49);
        assert_eq!(parts(&gpu, extents(64, 32, 196)), 8);
        assert_eq!(parts(&gpu, extents(64, 512, 4)), 1);
        assert_eq!(parts(&gpu, extents(2, 3, 4)), 1);

        let neighbours = |caps: &Caps, e| Split::choose(caps, e).neighbours;
        assert_eq!(neighbours(&software, extents(64, 32, 196)), 4);
        assert_eq!(neighbours(&software, extents(64, 30, 196)), 1);
        assert_eq!(neighbours(&software, extents(64, 64, 49)), 1);
        assert_eq!(neighbours(&software, extents(1, 64, 784)), 1);
        assert_eq!(neighbours(&gpu, extents(64, 32, 196)), 1);
    }
}

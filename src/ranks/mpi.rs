use super::Ranks;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use std::cell::Cell;

/// The ranks of an MPI job: the processes that `mpirun` has started.
pub struct Mpi {
    /// Present until [`finish`](Ranks::finish).
    universe: Cell<Option<Universe>>,
    world: SimpleCommunicator,
    local: usize,
}

impl Mpi {
    /// Joins the other ranks. Collective. `None` if this process has joined before. Outside of a job there is one rank.
    pub fn join() -> Option<Self> {
        let universe = mpi::initialize()?;
        let world = universe.world();
        let local = world.split_shared(world.rank()).rank() as usize;
        Some(Self { universe: Cell::new(Some(universe)), world, local })
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        // To finalise MPI is to wait for the other ranks, which wait for this one.
        std::mem::forget(self.universe.take());
    }
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn count(&self) -> usize {
        self.world.size() as usize
    }

    fn local(&self) -> usize {
        self.local
    }

    fn sum(&self, values: &mut [f32]) {
        let own = values.to_vec();
        self.world.all_reduce_into(&own, values, SystemOperation::sum());
    }

    fn gather(&self, value: u64) -> Vec<u64> {
        let mut all = vec![0; self.count()];
        self.world.all_gather_into(&value, &mut all);
        all
    }

    fn finish(&self) {
        drop(self.universe.take());
    }
}

//! The ranks of a training: this process alone, or the processes of an MPI job.

#[cfg(feature = "mpi")]
use ign::ranks::Mpi;
use ign::ranks::{Alone, Ranks};
use std::error::Error;
use std::rc::Rc;

/// Joins the other ranks of the job, if this process is in one.
#[cfg(feature = "mpi")]
pub fn join() -> Result<Rc<dyn Ranks>, Box<dyn Error>> {
    Ok(match Mpi::join() {
        Some(mpi) => Rc::new(mpi),
        None => Rc::new(Alone),
    })
}

/// This process alone. Refuses a job of several processes, of which each would train for itself.
#[cfg(not(feature = "mpi"))]
pub fn join() -> Result<Rc<dyn Ranks>, Box<dyn Error>> {
    // Set by Open MPI, and by MPICH and others.
    let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].map(|name| std::env::var(name).ok()?.parse::<usize>().ok());
    match sizes.into_iter().flatten().next() {
        Some(count @ 2..) => {
            let text = format!("this is one of {count} processes of an MPI job, and the program was built without MPI");
            Err(format!("{text}. Build it with: cargo build --release --features mpi --examples").into())
        }
        _ => Ok(Rc::new(Alone)),
    }
}

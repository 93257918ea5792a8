//! Faults of the device, and the limits of a transfer.

use super::{Gpu, GpuError, Store};
use crate::panics::caught;

fn open() -> Gpu {
    pollster::block_on(Gpu::open(None)).expect("an adapter")
}

#[test]
fn every_call_on_a_lost_device_says_that_it_is_lost() {
    let gpu = open();
    let mut store = Store::new();
    store.blocking_set(&gpu, "a", &[1.0, 2.0]).expect("a tensor");
    gpu.device().destroy();
    let calls = [
        ("idle", gpu.blocking_idle()),
        ("read", store.blocking_read(&gpu).map(drop)),
        ("set", store.blocking_set(&gpu, "a", &[3.0, 4.0])),
        ("buffer", gpu.wait(gpu.buffer("b", 8, None)).map(drop)),
        ("healthy", gpu.healthy()),
    ];
    for (call, result) in calls {
        assert!(matches!(result, Err(GpuError::Lost(_))), "{call}: {result:?}");
    }
}

#[test]
fn the_first_cause_of_a_failure_is_kept() {
    let memory = || GpuError::OutOfMemory { what: "a".into() };
    let lost = || GpuError::Lost("gone".into());
    let invalid = || GpuError::Validation { what: "b".into(), reason: "its buffer is invalid".into() };
    for (first, second, kept) in [
        (memory(), lost(), memory()),
        (memory(), invalid(), memory()),
        (lost(), memory(), lost()),
        (lost(), invalid(), lost()),
        (invalid(), lost(), lost()),
        (invalid(), memory(), memory()),
    ] {
        let gpu = open();
        gpu.fail(first);
        assert_eq!(gpu.fail(second).to_string(), kept.to_string());
        assert_eq!(gpu.healthy().expect_err("a failed device").to_string(), kept.to_string());
    }
}

#[test]
fn a_caught_panic_is_its_message() {
    assert_eq!(caught(|| 1), Ok(1));
    let panicked = caught(|| -> i32 { panic!("Error in {}:\n  lost", "poll") });
    assert_eq!(panicked, Err("Error in poll: lost".into()));
}

#[test]
fn a_readback_beyond_the_limit_of_a_buffer_is_split() {
    let gpu = open();
    let mut store = Store::new();
    for (name, value) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        store.blocking_set(&gpu, name, &[value; 16]).expect("a tensor");
    }
    // Two of the three tensors fit into one transfer.
    let mut caps = gpu.caps().clone();
    caps.max_buffer = 128;
    let read = store.blocking_read(&gpu.with_caps(caps)).expect("the tensors");
    for (name, value) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        assert_eq!(read[name], [value; 16], "{name}");
    }
    assert!(Store::new().blocking_read(&gpu).expect("nothing").is_empty());
}

#[test]
fn a_number_that_is_no_index_names_no_adapter() {
    for wanted in ["256", "99999999999999999999999"] {
        let Err(GpuError::UnknownAdapter { known, .. }) = pollster::block_on(Gpu::open(Some(wanted))).map(drop) else {
            panic!("{wanted} is accepted");
        };
        assert!(known.contains("0: "), "{known}");
    }
}

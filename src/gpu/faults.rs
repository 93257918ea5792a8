//! Faults of the device, and the limits of a transfer.

use super::{Gpu, GpuError, Store};

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

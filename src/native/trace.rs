use crate::gpu::Profile;
use serde_json::{Value, json};
use std::time::Duration;

/// A profile as a trace in the JSON format of Chrome, which <https://ui.perfetto.dev> and `chrome://tracing` open: one lane
/// for the host, one for the adapter. Times are in microseconds from the start of the profiled run.
///
/// Format: *Trace Event Format*, complete events (`X`) and metadata events (`M`).
pub fn trace(profile: &Profile, adapter: &str) -> String {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let lane = |lane: usize, name: &str| json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": lane, "args": {"name": name}});
    let complete = |lane: usize, name: &str, start: Duration, time: Duration, args: Value| json!({"ph": "X", "name": name, "pid": 1, "tid": lane, "ts": micros(start), "dur": micros(time), "args": args});
    let host = profile.host.iter().map(|span| complete(HOST, span.name, span.start, span.time, json!({})));
    let adapter_lane = profile.dispatches.iter().map(|dispatch| {
        let seconds = dispatch.time.as_secs_f64().max(1e-9);
        let args = json!({
            "shape": dispatch.shape,
            "kernel": dispatch.kernel,
            "GFLOP/s": dispatch.cost.flops as f64 / seconds / 1e9,
            "GB/s": dispatch.cost.bytes as f64 / seconds / 1e9,
        });
        complete(ADAPTER, dispatch.op, dispatch.start, dispatch.time, args)
    });
    let lanes = [lane(HOST, "host"), lane(ADAPTER, adapter)];
    let events: Vec<_> = lanes.into_iter().chain(host).chain(adapter_lane).collect();
    json!({"displayTimeUnit": "ms", "otherData": {"method": profile.method}, "traceEvents": events}).to_string()
}

const HOST: usize = 1;
const ADAPTER: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::blocking_compile;
    use crate::gpu::Store;
    use crate::tape::Tape;

    #[test]
    fn a_trace_has_a_lane_for_the_host_and_one_for_the_adapter() {
        let gpu = crate::native::open(None).unwrap();
        let tape = Tape::new();
        let (a, b) = (tape.input("a", [64, 64]), tape.input("b", [64, 64]));
        let program = blocking_compile(&gpu, &Store::new(), &tape, &[("y", a.matmul(b).relu())]).unwrap();
        let profile = program.blocking_profile().unwrap();
        let parsed: Value = serde_json::from_str(&trace(&profile, "an adapter")).unwrap();
        let events = parsed["traceEvents"].as_array().unwrap();
        let of = |lane: usize| events.iter().filter(move |event| event["ph"] == "X" && event["tid"] == lane);
        assert_eq!(of(ADAPTER).count(), profile.dispatches.len());
        assert!(of(HOST).any(|event| event["name"] == "encode and submit"));
        let product = of(ADAPTER).find(|event| event["args"]["GFLOP/s"].as_f64() > Some(0.0)).unwrap();
        assert_eq!((&product["name"], &product["args"]["shape"]), (&json!("matmul"), &json!("[64, 64]")));
        // A lane shows one thing at a time.
        for lane in [HOST, ADAPTER] {
            let number = |event: &Value, name: &str| event[name].as_f64().unwrap();
            let times: Vec<_> = of(lane).map(|event| [number(event, "ts"), number(event, "dur")]).collect();
            assert!(times.windows(2).all(|pair| pair[0][0] + pair[0][1] <= pair[1][0] + 0.1), "{times:?}");
        }
    }
}

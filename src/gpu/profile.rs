#[cfg(target_arch = "wasm32")]
use super::GpuError;
use super::device::sized;
use super::program::Program;
use super::{Command, Commands, Cost, Dispatch, Gpu, Kernel, Params, Place, Result, Store, Wgsl};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use wgpu::{BufferUsages, QueryType};

/// Times of the dispatches of one run.
#[derive(Clone, Debug)]
pub struct Profile {
    /// All dispatches, in order.
    pub dispatches: Vec<TimedDispatch>,
    /// What the host did meanwhile, in order. Empty in a browser.
    pub host: Vec<Span>,
    /// Method of measurement: `timestamps` or `wall clock`.
    pub method: &'static str,
}

/// A part of the host's time.
#[derive(Clone, Debug)]
pub struct Span {
    /// What the host did.
    pub name: &'static str,
    /// Time from the start of the run.
    pub start: Duration,
    /// Length of the part.
    pub time: Duration,
}

/// One dispatch of a profiled run.
#[derive(Clone, Debug)]
pub struct TimedDispatch {
    /// Number of the operation's line on the tape.
    pub line: usize,
    /// Name of the operation.
    pub op: &'static str,
    /// Shape of the operation's output.
    pub shape: String,
    /// Description of the kernel.
    pub kernel: String,
    /// Time from the start of the run to the start of the dispatch. The clocks of host and adapter differ: the first
    /// dispatch of a submission counts as started when its submission ends.
    pub start: Duration,
    /// Time of the dispatch.
    pub time: Duration,
    /// Minimum arithmetic and memory traffic.
    pub cost: Cost,
}

/// Sums over a group of dispatches.
#[derive(Clone, Debug, Default)]
pub struct ProfileRow {
    /// Operation, shape and kernel of the group. An empty shape stands for any shape.
    pub key: [String; 3],
    /// Number of dispatches.
    pub calls: usize,
    /// Total time.
    pub time: Duration,
    /// Total minimum arithmetic and memory traffic.
    pub cost: Cost,
}

impl ProfileRow {
    /// Arithmetic rate, in GFLOP/s.
    pub fn gflops(&self) -> f64 {
        self.cost.flops as f64 / self.time.as_secs_f64().max(1e-9) / 1e9
    }

    /// Rate of the minimum memory traffic, in GB/s.
    pub fn gbytes(&self) -> f64 {
        self.cost.bytes as f64 / self.time.as_secs_f64().max(1e-9) / 1e9
    }
}

impl Profile {
    /// Total time of all dispatches.
    pub fn total(&self) -> Duration {
        self.dispatches.iter().map(|d| d.time).sum()
    }

    /// Sums per operation and kernel, the longest time first.
    pub fn by_kernel(&self) -> Vec<ProfileRow> {
        self.rows(|d| [d.op.into(), String::new(), d.kernel.clone()])
    }

    /// Sums per operation, shape and kernel, the longest time first.
    pub fn by_shape(&self) -> Vec<ProfileRow> {
        self.rows(|d| [d.op.into(), d.shape.clone(), d.kernel.clone()])
    }

    fn rows(&self, key: impl Fn(&TimedDispatch) -> [String; 3]) -> Vec<ProfileRow> {
        let mut rows: BTreeMap<[String; 3], ProfileRow> = BTreeMap::new();
        for dispatch in &self.dispatches {
            let key = key(dispatch);
            let row = rows.entry(key.clone()).or_insert(ProfileRow { key, ..Default::default() });
            row.calls += 1;
            row.time += dispatch.time;
            row.cost.flops += dispatch.cost.flops;
            row.cost.bytes += dispatch.cost.bytes;
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by_key(|r| std::cmp::Reverse(r.time));
        rows
    }

    fn new(program: &Program, times: &[[Duration; 2]], host: Vec<Span>, method: &'static str) -> Self {
        let timed = |(dispatch, &[start, time]): (&super::program::BoundDispatch, &[Duration; 2])| TimedDispatch {
            line: dispatch.line,
            op: dispatch.op,
            shape: dispatch.shape.clone(),
            kernel: dispatch.kernel.clone(),
            start,
            time,
            cost: dispatch.cost,
        };
        Self { dispatches: program.bound.iter().zip(times).map(timed).collect(), host, method }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total().as_secs_f64().max(1e-12);
        let rows = self.by_kernel();
        let width = rows.iter().map(|r| r.key[0].len()).max().unwrap_or(0).max(9);
        writeln!(f, "time per operation, by {}", self.method)?;
        writeln!(
            f,
            "{:width$}  {:>5}  {:>9}  {:>6}  {:>8}  {:>7}  kernel",
            "operation", "calls", "ms", "share", "GFLOP/s", "GB/s"
        )?;
        for row in &rows {
            let seconds = row.time.as_secs_f64();
            writeln!(
                f,
                "{:width$}  {:>5}  {:>9.3}  {:>5.1}%  {:>8.2}  {:>7.2}  {}",
                row.key[0],
                row.calls,
                1e3 * seconds,
                100.0 * seconds / total,
                row.gflops(),
                row.gbytes(),
                row.key[2]
            )?;
        }
        write!(f, "{:width$}  {:>5}  {:>9.3}", "total", self.dispatches.len(), 1e3 * total)
    }
}

impl Program {
    /// Runs once and times every dispatch, with timestamp queries if those of the adapter work. If not, each dispatch runs
    /// alone and is timed by wall-clock time. A dispatch that is shorter than the steps of the clock takes no time.
    ///
    /// # Errors
    /// A lost adapter or no memory; in a browser also an adapter without working timestamp queries.
    pub async fn profile(&self) -> Result<Profile> {
        // A run changes state, so that a second one in its place would not do.
        if !self.gpu().has_clock().await? {
            return self.wall_clock().await;
        }
        let Timestamps { times, host, .. } = self.timestamps().await?;
        Ok(Profile::new(self, &times, host, "timestamps"))
    }

    #[cfg(target_arch = "wasm32")]
    async fn wall_clock(&self) -> Result<Profile> {
        Err(GpuError::NoTimestamps)
    }

    #[cfg(not(target_arch = "wasm32"))]
    async fn wall_clock(&self) -> Result<Profile> {
        let (mut times, mut host) = (vec![], Stopwatch::start());
        for i in 0..self.bound.len() {
            self.gpu().idle().await?;
            let start = host.lap("wait");
            self.submit(&self.bound[i..=i], 1)?;
            host.lap("encode and submit");
            self.gpu().idle().await?;
            times.push([start, host.lap("wait") - start]);
        }
        Ok(Profile::new(self, &times, host.spans, "wall clock"))
    }

    async fn timestamps(&self) -> Result<Timestamps> {
        let gpu = self.gpu();
        let mut host = Stopwatch::start();
        // A query set has at most 4,096 queries, two per dispatch.
        let (mut times, mut all_zero) = (vec![], true);
        for dispatches in self.bound.chunks(2048) {
            let count = 2 * dispatches.len() as u32;
            let (queries, resolved) = gpu
                .scoped(&sized("timestamp queries", 8 * u64::from(count)), || {
                    gpu.count(1);
                    let queries = gpu.device().create_query_set(&wgpu::QuerySetDescriptor {
                        label: None,
                        ty: QueryType::Timestamp,
                        count,
                    });
                    let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
                    (queries, gpu.raw_buffer("timestamps", 8 * u64::from(count), usage))
                })
                .await?;
            host.lap("create queries");
            let encode = |encoder: &mut wgpu::CommandEncoder| {
                for (i, dispatch) in dispatches.iter().enumerate() {
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                        label: None,
                        timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                            query_set: &queries,
                            beginning_of_pass_write_index: Some(2 * i as u32),
                            end_of_pass_write_index: Some(2 * i as u32 + 1),
                        }),
                    });
                    dispatch.encode(&mut pass);
                }
                encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
            };
            gpu.submit(|| format!("commands for {} timed dispatches", dispatches.len()), encode)?;
            let submitted = host.lap("encode and submit");
            let words = gpu.read_regions(&[(&resolved, 0, 2 * count as usize)]).await?.remove(0);
            host.lap("wait and read");
            let ticks: Vec<u64> =
                words.chunks_exact(2).map(|w| u64::from(w[0].to_bits()) | u64::from(w[1].to_bits()) << 32).collect();
            let period = f64::from(gpu.queue().get_timestamp_period());
            let first = ticks[0];
            let since = |from: u64, to: u64| Duration::from_nanos((to.saturating_sub(from) as f64 * period) as u64);
            times.extend(ticks.chunks_exact(2).map(|t| [submitted + since(first, t[0]), since(t[0], t[1])]));
            all_zero &= ticks.iter().all(|&tick| tick == 0);
        }
        Ok(Timestamps { times, host: host.spans, all_zero })
    }
}

/// What timestamp queries say of a run.
struct Timestamps {
    /// Start and length of each dispatch.
    times: Vec<[Duration; 2]>,
    /// What the host did.
    host: Vec<Span>,
    /// Whether every timestamp is 0.
    all_zero: bool,
}

impl Gpu {
    /// Whether timestamp queries give the time: those of some drivers are always 0. Tried once, with a small dispatch.
    async fn has_clock(&self) -> Result<bool> {
        const TICK: Wgsl = Wgsl {
            path: "in src/gpu/profile.rs",
            text: "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
                @compute @workgroup_size(1) fn tick() { y[0] = 1.0; }",
        };
        if !self.caps().timestamps {
            return Ok(false);
        }
        if let Some(&known) = self.clock().get() {
            return Ok(known);
        }
        let mut commands = Commands::default();
        let bindings = vec![("y", commands.value("y", 1, Place::Host))];
        let kernel = Kernel::new(&[TICK], "tick", &[]);
        let (params, cost) = (Params::default(), Cost::default());
        let dispatch = Dispatch { kernel, bindings, params, workgroups: 1, turns: 0, cost };
        let what = "a dispatch to try the clock".into();
        commands.push(Command { line: 0, op: "tick", shape: String::new(), what, dispatch });
        let tried = Program::new(self, &commands, &Store::new()).await?.timestamps().await?;
        Ok(*self.clock().get_or_init(|| !tried.all_zero))
    }
}

/// Times the parts of the host's work. In a browser it stands still.
struct Stopwatch {
    #[cfg(not(target_arch = "wasm32"))]
    start: std::time::Instant,
    spans: Vec<Span>,
}

impl Stopwatch {
    #[cfg(not(target_arch = "wasm32"))]
    fn start() -> Self {
        Self { start: std::time::Instant::now(), spans: vec![] }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[cfg(target_arch = "wasm32")]
    fn start() -> Self {
        Self { spans: vec![] }
    }

    #[cfg(target_arch = "wasm32")]
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    /// Ends the part `name`, which began when the last one ended, and returns the time since the start.
    fn lap(&mut self, name: &'static str) -> Duration {
        let now = self.elapsed();
        let start = self.spans.last().map_or(Duration::ZERO, |span| span.start + span.time);
        if now > start {
            self.spans.push(Span { name, start, time: now - start });
        }
        now
    }
}

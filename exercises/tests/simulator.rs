//! The simulator against the adapter: what WGSL means is what both compute.

use exercises::simulator::{Kernel, Launch, launch};
use ign::gpu::{Command, Commands, Cost, Dispatch, Gpu, Kernel as Shader, Params, Place, Program, Store, Wgsl};
use ign::native::open;
use std::collections::BTreeMap;

/// Number of invocations, in two workgroups of 32.
const COUNT: usize = 64;

/// The words that a kernel stores in `y`, by the simulator and by the adapter. Each invocation has a number `x[i]` and
/// stores four words.
fn both(gpu: &Gpu, wgsl: &'static str) -> [Vec<u32>; 2] {
    let x: Vec<f32> = (0..COUNT).map(|i| (i as f32 - 31.5) * 0.75).collect();
    let kernel = Kernel::parse(wgsl).unwrap_or_else(|flaw| panic!("{flaw:?}"));
    let mut buffers = BTreeMap::new();
    buffers.insert("x".to_string(), x.iter().map(|x| x.to_bits()).collect());
    buffers.insert("y".to_string(), vec![0; 4 * COUNT]);
    let subgroup = gpu.caps().subgroup.unwrap_or(1);
    let run = Launch { kernel: &kernel, entry: "main", groups: 2, subgroup, cleared: true };
    launch(&run, &mut buffers).unwrap_or_else(|flaw| panic!("{flaw:?}"));

    let mut commands = Commands::default();
    let [a, b] = [("x", COUNT), ("y", 4 * COUNT)].map(|(name, n)| commands.value(name, n, Place::Host));
    let dispatch = Dispatch {
        kernel: Shader::new(&[Wgsl { path: "test.wgsl", text: wgsl }], "main", &[]),
        bindings: vec![("x", a), ("y", b)],
        params: Params::default(),
        workgroups: 2,
        turns: Dispatch::MAX_TURNS,
        cost: Cost::default(),
    };
    commands.push(Command { line: 0, op: "test", shape: String::new(), what: "test".into(), dispatch });
    let program = Program::blocking_new(gpu, &commands, &Store::new()).unwrap();
    program.write(a, &x).unwrap();
    program.run().unwrap();
    let found = program.blocking_read(&[b]).unwrap().concat();
    [buffers["y"].clone(), found.iter().map(|x| x.to_bits()).collect()]
}

const HEAD: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = w.x * 32u + local;
  let v = x[i];
  let n = i32(v * 3.0);
  let u = i * 2654435761u;
";

#[test]
fn the_simulator_computes_what_the_adapter_computes() {
    let gpu = open(None).unwrap();
    let bodies = [
        ("integers", "y[i] = vec4<u32>(u / (i + 1u), u % (i + 3u), u32(n / 7), u32(n % 7));"),
        ("division by zero", "y[i] = vec4<u32>(u / (i - i), u % (i - i), u32(n / (n - n)), u32(n % (n - n)));"),
        ("bits", "y[i] = vec4<u32>(u >> 3u, u32(n >> 1u), (u << 2u) ^ u, ~u & (i | 7u));"),
        ("conversions", "y[i] = vec4<u32>(u32(v), u32(i32(v)), bitcast<u32>(f32(n)), u32(v > 0.0));"),
        ("saturation", "let big = v * 1e9; y[i] = vec4<u32>(u32(big), u32(i32(big)), bitcast<u32>(f32(u)), 0u);"),
        ("comparisons", "y[i] = vec4<u32>(u32(v < 1.5), u32(n >= 4), u32(u > 9u && i != 3u), u32(v == -v || n == 2));"),
        (
            "vectors",
            "let a = vec3<f32>(v, 2.0, -v); let b = a.zyx * 0.5 + a; let c = select(a, b, a > vec3<f32>(0.0));
             y[i] = vec4<u32>(bitcast<vec3<u32>>(c), bitcast<u32>(dot(a, b)));",
        ),
        (
            "functions",
            "let f = vec4<f32>(abs(v), clamp(v, -2.0, 3.0), floor(v) + ceil(v), fract(v) + trunc(v) + round(v));
             y[i] = bitcast<vec4<u32>>(f + vec4<f32>(min(v, 1.0), max(v, 1.0), sign(v), step(0.0, v)));",
        ),
        (
            "loops",
            "var sum = 0u; var turns = 0;
             for (var k = 0u; k < i % 7u + 2u; k++) {
               if (k == 3u) { continue; }
               if (sum > 20u) { break; }
               for (var l = 0u; l < k; l++) { sum += l + 1u; }
               turns++;
             }
             while (sum % 5u != 0u) { sum++; }
             loop { turns += 2; continuing { turns++; break if turns > n; } }
             y[i] = vec4<u32>(sum, u32(turns), 0u, 0u);",
        ),
        (
            "switches",
            "var out = 0u;
             for (var k = 0u; k < 5u; k++) {
               switch (i + k) % 6u {
                 case 0u: { out += 1u; }
                 case 1u, 2u: { if (k > 2u) { break; } out += 10u; }
                 case 4u: { continue; }
                 default: { out += 100u; }
               }
               out += 1000u;
             }
             y[i] = vec4<u32>(out);",
        ),
        (
            "arrays",
            "var a: array<array<u32, 3>, 4>;
             for (var k = 0u; k < 12u; k++) { a[k / 3u][k % 3u] = k * i; }
             let row = a[i % 4u]; var vector = vec4<u32>(1u, 2u, 3u, 4u); vector[i % 4u] += row[i % 3u];
             y[i] = vector;",
        ),
        ("short circuits", "if (i > 0u && x[i - 1u] < v || false) { y[i] = vec4<u32>(1u); } else { y[i].w = 2u; }"),
    ];
    for (name, body) in bodies {
        let [simulated, found] = both(&gpu, format!("{HEAD}{body}\n}}").leak());
        assert_eq!(simulated, found, "{name}");
        assert!(simulated.iter().any(|&word| word != 0), "{name} stores nothing");
    }
}

#[test]
fn calls_structs_and_workgroup_memory_are_those_of_the_adapter() {
    let gpu = open(None).unwrap();
    let wgsl = "
        struct Pair { first: u32, inner: array<vec2<f32>, 2>, flag: bool }
        const FACTORS = array<u32, 3>(2u, 3u, 5u);
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
        var<workgroup> pairs: array<Pair, 32>;
        fn scale(p: ptr<function, Pair>, by: f32) -> f32 {
          (*p).inner[1].y *= by;
          if (by > 2.0) { return (*p).inner[1].y; }
          (*p).flag = true;
          return 0.0;
        }
        @compute @workgroup_size(32)
        fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) at: vec3<u32>,
                @builtin(num_workgroups) groups: vec3<u32>) {
          var pair = Pair(id.x, array(vec2<f32>(1.0, 2.0), vec2<f32>(3.0, x[id.x])), false);
          let returned = scale(&pair, x[id.x]) + scale(&pair, 2.0);
          pairs[at.x] = pair;
          workgroupBarrier();
          let other = pairs[31u - at.x];
          let fifth = workgroupUniformLoad(&pairs[5].first);
          y[id.x] = vec4<u32>(other.first * FACTORS[at.x % 3u] + groups.x + fifth, bitcast<u32>(returned),
                              bitcast<u32>(other.inner[1].y), u32(other.flag) + arrayLength(&x));
        }";
    let [simulated, found] = both(&gpu, wgsl);
    assert_eq!(simulated, found);
}

#[test]
fn subgroup_operations_are_those_of_the_adapter() {
    let gpu = open(None).unwrap();
    if gpu.caps().subgroup.is_none() {
        return;
    }
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
        @compute @workgroup_size(32)
        fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32,
                @builtin(subgroup_size) size: u32) {
          let n = u32(i32(x[id.x]) + 100);
          y[id.x] = vec4<u32>(subgroupAdd(n), subgroupShuffle(n, size - 1u - lane), subgroupBroadcast(n, 1u),
                              subgroupMax(n) + subgroupShuffleXor(lane, 1u));
        }";
    let [simulated, found] = both(&gpu, wgsl);
    assert_eq!(simulated, found);
}

// Dropout, one invocation per four elements: y = x·mask/(1 − p), with scale = 1/(1 − p). An element is kept if its
// 32-bit hash is at least threshold = ⌊p·2³²⌋. The product with the mask keeps a NaN. Expects WORKGROUP and
// shared/element.wgsl.

struct Params { quads: u32, salt: u32, threshold: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> seed: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// The hash pcg4d of Jarzynski & Olano 2020: four words from four words.
fn hash(words: vec4<u32>) -> vec4<u32> {
  var v = stir(words * 1664525u + 1013904223u);
  v ^= v >> vec4<u32>(16u);
  return stir(v);
}

fn stir(words: vec4<u32>) -> vec4<u32> {
  var v = words;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

@compute @workgroup_size(WORKGROUP)
fn dropout(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
           @builtin(local_invocation_index) l: u32) {
  let i = element(w, n, l);
  if (i >= params.quads) { return; }
  let words = hash(vec4<u32>(i, u32(seed[0]), params.salt, 0u));
  result[i] = x[i] * select(vec4<f32>(0.0), vec4<f32>(params.scale), words >= vec4<u32>(params.threshold));
}

// The partial sums on adapters with subgroup operations. A file of its own, because other adapters refuse a module with
// such operations. Expects shared/channel_sums.wgsl and what that expects.

// Reduction of the invocations' sums by subgroup operations, for any subgroup size, and of the subgroups' sums in
// workgroup memory.
@compute @workgroup_size(WORKGROUP)
fn sum_pixels_by_subgroups(@builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>,
                           @builtin(local_invocation_index) l: u32, @builtin(subgroup_id) subgroup: u32,
                           @builtin(subgroup_invocation_id) lane: u32, @builtin(num_subgroups) subgroups: u32) {
  let group = i32(linear_workgroup(w, n));
  if (group >= params.channels * params.parts) { return; }
  let of_subgroup = subgroupAdd(sum_of_invocation(group, l));
  if (lane == 0u) { shared_sums[subgroup] = of_subgroup; }
  workgroupBarrier();
  if (l == 0u) {
    var sum = vec2<f32>(0.0);
    for (var i = 0u; i < subgroups; i++) { sum += shared_sums[i]; }
    sums[group] = sum;
  }
}

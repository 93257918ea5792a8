// Linear index of an invocation, for one invocation per element. Expects WORKGROUP and shared/grid.wgsl.

fn element(workgroup: vec3<u32>, workgroups: vec3<u32>, local: u32) -> u32 {
  return linear_workgroup(workgroup, workgroups) * WORKGROUP + local;
}

// Linear workgroup index in a dispatch grid that may be folded into two axes. Expects nothing.

fn linear_workgroup(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
  return workgroup.y * workgroups.x + workgroup.x;
}

// The start of a kernel with register tiles. With SUBGROUP an invocation knows its lane.
// takes: nothing
// leaves: main, id, groups, and lane with SUBGROUP
#ifdef SUBGROUP
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
#else
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
#endif

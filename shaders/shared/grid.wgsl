// Number of an invocation, and of a workgroup, in a grid folded to two dimensions.
fn invocation(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x * WORKGROUP + id.x; }
fn group_index(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x + id.x; }
#import split

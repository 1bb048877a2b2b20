// Number of an invocation, and of a workgroup, in a grid folded to two dimensions.
fn invocation(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x * WORKGROUP + id.x; }
fn group_index(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x + id.x; }
// A number from the parameters as the bound of a long loop: itself, since grids have two dimensions. lavapipe compiles a
// shader anew for parameters that let it unroll a loop, or leave it out; of this number it cannot tell.
fn bound(number: u32, groups: vec3<u32>) -> u32 { return number * groups.z; }
#import split

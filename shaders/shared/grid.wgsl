// Index of an invocation, and of a workgroup, in a grid that is folded to two dimensions.
fn invocation(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x * WORKGROUP + id.x; }
fn group_index(id: vec3<u32>, groups: vec3<u32>) -> u32 { return id.y * groups.x + id.x; }
// A parameter as the bound of a long loop. It equals `number`, because grids have two dimensions. lavapipe recompiles a shader
// for parameters that let it unroll or skip a loop; it does not know this product.
fn bound(number: u32, groups: vec3<u32>) -> u32 { return number * groups.z; }
#import split

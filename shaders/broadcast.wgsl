// Sum or product of two operands, of which the second is repeated over axes that it lacks.
//   y[m,c,row,column] = a[m,c,row,column] ∘ b[image(m), c or 0, row or 0, column or 0]; ∘ is · with MULTIPLY, else +
// a, y [maps][blocks][h][w], b [n][…]: texels, one of y per invocation; `per_image` maps share an image
// With SINGLE, b has one channel for all. A stride is 0 along an axis that b lacks.
// dispatch: maps · blocks · h · w invocations
struct Params {
    texels: u32,
    blocks: u32,
    height: u32,
    width: u32,
    per_image: u32,
    b_image: u32,     // texels of an image of b
    b_block: u32,     // strides in b
    b_row: u32,
    b_column: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read b 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let column = split(at, params.width);
    let row = split(column.x, params.height);
    let block = split(row.x, params.blocks);
    let image = split(block.x, params.per_image).x;
    var b = load_b(image * params.b_image + block.y * params.b_block + row.y * params.b_row + column.y * params.b_column);
#ifdef SINGLE
    b = b.xxxx;
#endif
#ifdef MULTIPLY
    store_y(at, load_a(at) * b);
#else
    store_y(at, load_a(at) + b);
#endif
}

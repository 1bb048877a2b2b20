// Masks of an image, as channels.
//   with SQUARE  y[n,k,p] = 1 where p lies in square first + k of a raster, else 0
//   else         y[n,k,p] = a grid of CELLS × CELLS random zeros and ones, enlarged by bilinear interpolation to CELLS + 1 cells of
//                `cell` pixels, and shifted by up to a cell: RISE
// y [n][blocks][h][w]: texels of four masks, one per invocation
// dispatch: n · blocks · h · w invocations
struct Params {
    size: vec2<u32>,    // height, width
    texels: u32,
    blocks: u32,
    first: u32,
#ifdef SQUARE
    side: u32,
    step: u32,
    across: u32,        // squares in a row
#else
    key: u32,           // a hash of the seed
    cell: vec2<u32>,    // height, width
#endif
}
@group(0) @binding(0) var<uniform> params: Params;
#import write y 1
#import grid
#import hash

#ifdef SQUARE
fn mask(number: u32, at: vec2<u32>) -> f32 {
    let place = split(number, params.across);
    let corner = place * params.step;
    return select(0.0, 1.0, all(at >= corner) && all(at < corner + params.side));
}
#else
fn cell(own: u32, row: u32, column: u32) -> f32 { return f32(hash(own + row * CELLS + column) >> 31u); }
fn mask(number: u32, at: vec2<u32>) -> f32 {
    let own = hash(number ^ params.key);
    let chance = hash(own);
    let shift = vec2<u32>(chance % params.cell.x, hash(chance) % params.cell.y);
    let last = f32(CELLS) - 1.0;
    let whole = vec2<f32>((CELLS + 1u) * params.cell);
    let place = clamp((vec2<f32>(at + shift) + 0.5) * f32(CELLS) / whole - 0.5, vec2<f32>(), vec2<f32>(last));
    let low = vec2<u32>(place);
    let high = min(low + 1u, vec2<u32>(CELLS - 1u));
    let part = place - vec2<f32>(low);
    let upper = mix(cell(own, low.x, low.y), cell(own, low.x, high.y), part.y);
    let lower = mix(cell(own, high.x, low.y), cell(own, high.x, high.y), part.y);
    return mix(upper, lower, part.x);
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let column = split(at, params.size.y);
    let row = split(column.x, params.size.x);
    let first = params.first + split(row.x, params.blocks).y * 4u;
    var masks = vec4<f32>();
    #for i in 0..4
    masks[$i] = mask(first + $iu, vec2<u32>(row.y, column.y));
    #endfor
    store_y(at, masks);
}

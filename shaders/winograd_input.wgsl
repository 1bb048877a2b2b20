// Winograd's F(4×4, 3×3), first of three steps: transforms overlapping 6×6 tiles of the input.
//   y = Bᵀ d B, d the inputs from (4·ty − p, 4·tx − p) on
// (Lavin and Gray, arXiv 1509.09308, with the points 0, ±1, ±2)
// x [n][blocks][h][w]: texels; y [36][blocks][count]: texels, for `count` of the tiles [n][tiles.y][tiles.x] from `first` on
// tile: one invocation transforms one tile of a channel block
// dispatch: blocks · count invocations
struct Params {
    in_size: vec2<u32>,   // width, height
    tiles: vec2<u32>,     // of an image
    pad: vec2<u32>,       // before the first column and row
    blocks: u32,
    first: u32,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
#import winograd_tile
    let size = params.in_size;
    let corner = vec2<u32>(row.y, line.y) * 4u - params.pad; // negative values wrap
    let plane = (image * params.blocks + block) * size.x * size.y + 1u;
#for i in 0..6
    let width$i = select(0u, size.x, corner.y + $iu < size.y);
    let line$i = plane + (corner.y + $iu) * size.x + corner.x;
#for j in 0..6
    let d$i$j = fetch_x(select(0u, line$i + $ju, corner.x + $ju < width$i));
#endfor
#endfor
#for j in 0..6
    let a0$j = 4.0 * d0$j - 5.0 * d2$j + d4$j;
    let p1$j = d4$j - 4.0 * d2$j;
    let q1$j = d3$j - 4.0 * d1$j;
    let p2$j = d4$j - d2$j;
    let q2$j = 2.0 * (d3$j - d1$j);
    let a1$j = p1$j + q1$j;
    let a2$j = p1$j - q1$j;
    let a3$j = p2$j + q2$j;
    let a4$j = p2$j - q2$j;
    let a5$j = 4.0 * d1$j - 5.0 * d3$j + d5$j;
#endfor
    let step = params.blocks * params.count;
#for i in 0..6
    let r1$i = a$i4 - 4.0 * a$i2;
    let s1$i = a$i3 - 4.0 * a$i1;
    let r2$i = a$i4 - a$i2;
    let s2$i = 2.0 * (a$i3 - a$i1);
    store_y(at + $($i*6)u * step, 4.0 * a$i0 - 5.0 * a$i2 + a$i4);
    store_y(at + $($i*6+1)u * step, r1$i + s1$i);
    store_y(at + $($i*6+2)u * step, r1$i - s1$i);
    store_y(at + $($i*6+3)u * step, r2$i + s2$i);
    store_y(at + $($i*6+4)u * step, r2$i - s2$i);
    store_y(at + $($i*6+5)u * step, 4.0 * a$i1 - 5.0 * a$i3 + a$i5);
#endfor
}

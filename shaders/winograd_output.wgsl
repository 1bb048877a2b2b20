// Winograd's F(4×4, 3×3), last of three steps: computes 4×4 outputs from each tile of products.
//   y = finish( bias[c] + Aᵀ m A ), m the products x; with POOLED the maximum of each 2×2 of them
// (Lavin and Gray, arXiv 1509.09308, with the points 0, ±1, ±2)
// x [36][blocks][count]: the products, texels, for `count` of the tiles [n][tiles.y][tiles.x] from `first` on
// y [n][y_blocks][h][w], with POOLED [n][y_blocks][⌊h/2⌋][⌊w/2⌋]: texels; w: bias [blocks]
// tile: one invocation makes 4×4 pixels of a channel block, with POOLED 2×2
// dispatch: blocks · count invocations
struct Params {
    out_size: vec2<u32>,  // width, height
    tiles: vec2<u32>,     // of an image
    blocks: u32,
    first: u32,
    count: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#ifdef BIAS
#import read w 2
#import write y 3
#import epilogue 4
#else
#import write y 2
#import epilogue 3
#endif
#ifdef POOLED
#import greatest
#endif
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
#import winograd_tile
    let step = params.blocks * params.count;
#for i in 0..6
#for j in 0..6
    let m$i$j = load_x(at + $($i*6+$j)u * step);
#endfor
#endfor
#for j in 0..6
    let p1$j = m1$j + m2$j;
    let q1$j = m1$j - m2$j;
    let p2$j = m3$j + m4$j;
    let q2$j = m3$j - m4$j;
    let a0$j = m0$j + p1$j + p2$j;
    let a1$j = q1$j + 2.0 * q2$j;
    let a2$j = p1$j + 4.0 * p2$j;
    let a3$j = q1$j + 8.0 * q2$j + m5$j;
#endfor
#ifdef BIAS
    let bias = load_w(block);
#else
    let bias = vec4<f32>();
#endif
#for i in 0..4
    let r1$i = a$i1 + a$i2;
    let s1$i = a$i1 - a$i2;
    let r2$i = a$i3 + a$i4;
    let s2$i = a$i3 - a$i4;
    let y$i0 = bias + a$i0 + r1$i + r2$i;
    let y$i1 = bias + s1$i + 2.0 * s2$i;
    let y$i2 = bias + r1$i + 4.0 * r2$i;
    let y$i3 = bias + s1$i + 8.0 * s2$i + a$i5;
#endfor
#ifdef POOLED
    let size = params.out_size / 2u;
    let corner = vec2<u32>(row.y, line.y) * 2u;
#else
    let size = params.out_size;
    let corner = vec2<u32>(row.y, line.y) * 4u;
#endif
    let plane = ((image * params.y_blocks + params.y_first + block) * size.y + corner.y) * size.x + corner.x;
#ifdef POOLED
#for i in 0..2
#for j in 0..2
    if all(corner + vec2<u32>($ju, $iu) < size) {
        let upper = greatest(finish(0u, y$($i*2)$($j*2)), finish(0u, y$($i*2)$($j*2+1)));
        let lower = greatest(finish(0u, y$($i*2+1)$($j*2)), finish(0u, y$($i*2+1)$($j*2+1)));
        store_y(plane + $iu * size.x + $ju, greatest(upper, lower));
    }
#endfor
#endfor
#else
#for i in 0..4
#for j in 0..4
    if all(corner + vec2<u32>($ju, $iu) < size) {
        let to = plane + $iu * size.x + $ju;
        store_y(to, finish(to, y$i$j));
    }
#endfor
#endfor
#endif
}

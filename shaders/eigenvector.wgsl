// The eigenvector of the greatest eigenvalue λ of a symmetric matrix: power iteration. It ends where a step moves the unit vector by
// less than 1e-6, which f32 can just tell, or after `steps`.
//   y[m] = x / |x|, with ROOT · √λ, where x ← matrix[m] · x + shift · x
// shift is 0, or with INDEFINITE, where eigenvalues may be negative, half of the matrix's norm: so λ has the greatest magnitude.
// matrix [maps][blocks][size], rows as channels and columns as pixels; y [maps][blocks]: texels
// tile: one workgroup for each map; its LANES invocations share the columns
// dispatch: `maps` workgroups
struct Params {
    size: u32,        // rows, and columns, at most MOST
    blocks: u32,
    steps: u32,
    maps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read matrix 1
#import write y 2
#import grid
#import lanes

const MOST = 1024u;
// The unit vector, which is 0 beyond `size`, and the matrix times the vector.
var<workgroup> vector: array<f32, MOST>;
var<workgroup> product: array<f32, MOST>;
var<workgroup> is_done: bool;

fn four(k: u32) -> vec4<f32> { return vec4<f32>(vector[4u * k], vector[4u * k + 1u], vector[4u * k + 2u], vector[4u * k + 3u]); }
fn total(v: vec4<f32>) -> f32 { return v.x + v.y + v.z + v.w; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // There may be more workgroups than maps.
    let group = group_index(id, groups);
    let map = min(group, params.maps - 1u);
    let first = map * params.blocks * params.size;
    let blocks = bound(params.blocks, groups);
    // Multiples of the golden ratio without their whole part: no eigenvector of a picture is orthogonal to them.
    for (var p = lane; p < MOST; p += LANES) { vector[p] = select(0.0, fract(f32(p) * 0.618034) - 0.5, p < params.size); }
    var root = 0.0;
    var shift = 0.0;
#ifdef INDEFINITE
    var norm = vec4<f32>();
    for (var p = lane; p < params.size; p += LANES) {
        for (var k = 0u; k < blocks; k++) {
            let rows = load_matrix(first + k * params.size + p);
            norm += select(vec4<f32>(), rows * rows, vec4<u32>(0u, 1u, 2u, 3u) + 4u * k < vec4<u32>(params.size));
        }
    }
    shift = sqrt(total(share_lanes(norm, lane, 0u))) / 2.0;
#endif
    for (var step = 0u; step < params.steps; step++) {
        workgroupBarrier();
        var squares = vec4<f32>();
        for (var p = lane; p < params.size; p += LANES) {
            var sum = shift * vector[p];
            // Four blocks of rows a step. Past the last one the vector is 0.
            for (var k = 0u; k < blocks; k += 4u) {
                #for i in 0..4
                sum += dot(load_matrix(first + min(k + $iu, blocks - 1u) * params.size + p), four(k + $iu));
                #endfor
            }
            product[p] = sum;
            squares.x += sum * sum;
        }
        let length = sqrt(total(share_lanes(squares, lane, 0u)));
        root = sqrt(max(length - shift, 0.0));
        var moved = vec4<f32>();
        for (var p = lane; p < params.size; p += LANES) {
            let unit = product[p] / max(length, 1e-30);
            moved.x += (unit - vector[p]) * (unit - vector[p]);
            vector[p] = unit;
        }
        moved = share_lanes(moved, lane, 0u);
        if lane == 0u { is_done = total(moved) < 1e-12; }
        if workgroupUniformLoad(&is_done) { break; }
    }
    if group != map { return; }
    for (var b = lane; b < blocks; b += LANES) {
#ifdef ROOT
        store_y(map * params.blocks + b, four(b) * root);
#else
        store_y(map * params.blocks + b, four(b));
#endif
    }
}

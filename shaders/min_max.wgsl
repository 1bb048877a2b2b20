// Range of each map.
//   y[m] = (least, greatest finite value, count of the other values, 0); zeros where no value is finite
// x [maps][plane] in the first channel, y [maps]: texels
// dispatch: `maps` workgroups of LANES invocations, one a map
struct Params {
    plane: u32,   // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

var<workgroup> ranges: array<vec3<f32>, LANES>;
const LARGEST = 3.4028234e38;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let map = group_index(id, groups);
    var range = vec3<f32>(LARGEST, -LARGEST, 0.0);
    for (var p = lane; p < params.plane; p += LANES) {
        let v = load_x(map * params.plane + p).x;
        // By its bits: a driver may assume that no comparison meets a NaN.
        if (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u {
            range.z += 1.0;
        } else {
            range = vec3<f32>(min(range.x, v), max(range.y, v), range.z);
        }
    }
    ranges[lane] = range;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let other = ranges[lane + half];
            range = vec3<f32>(min(range.x, other.x), max(range.y, other.y), range.z + other.z);
            ranges[lane] = range;
        }
    }
    if lane == 0u {
        let none = u32(range.z) == params.plane;
        store_y(map, vec4<f32>(select(range.xy, vec2<f32>(), none), range.z, 0.0));
    }
}

// Range of each map. With RESIZED it is the range of the resized map, computed without that map: between the centres of four
// values a resized map is bilinear. So its extremes are among its samples next to the centres, two per axis and value.
//   y[m] = (least finite value, greatest finite value, count of values that are not finite, 0)
// The count is 0 with RESIZED. The range is zeros if no value is finite.
// x [maps][plane] in the first channel, y [maps]: texels
// dispatch: `maps` workgroups of LANES invocations, one workgroup per map
struct Params {
#ifdef RESIZED
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    samples: vec2<u32>,   // samples of the resized map that are read: all if it is less than twice as large
#endif
    count: u32,           // values of a map, or samples of it
    maps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#ifdef RESIZED
#import resized 3
fn number(map: u32, p: u32) -> f32 {
    let at = split(p, params.samples.x).yx;
    let centre = (vec2<f32>(at / 2u) + 0.5) * vec2<f32>(params.out_size) / vec2<f32>(params.in_size) - 0.5;
    let beside = clamp(floor(centre) + vec2<f32>(at % 2u), vec2<f32>(), vec2<f32>(params.out_size - 1u));
    return resized(map, select(vec2<u32>(beside), at, params.samples == params.out_size)).x;
}
#else
fn number(map: u32, p: u32) -> f32 { return load_x(map * params.count + p).x; }
#endif

var<workgroup> found: array<vec3<f32>, LANES>;
const LARGEST = 3.4028234e38;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // There may be more workgroups than maps.
    let group = group_index(id, groups);
    let map = min(group, params.maps - 1u);
    var range = vec3<f32>(LARGEST, -LARGEST, 0.0);
    for (var p = lane; p < params.count; p += LANES) {
        let v = number(map, p);
        // Tested by its bits, because a driver may assume that no operand of a comparison is NaN.
        if (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u {
            range.z += 1.0;
        } else {
            range = vec3<f32>(min(range.x, v), max(range.y, v), range.z);
        }
    }
    found[lane] = range;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let other = found[lane + half];
            range = vec3<f32>(min(range.x, other.x), max(range.y, other.y), range.z + other.z);
            found[lane] = range;
        }
    }
    if lane == 0u && group == map {
        let none = u32(range.z) == params.count;
#ifdef RESIZED
        range.z = 0.0;
#endif
        store_y(map, vec4<f32>(select(range.xy, vec2<f32>(), none), range.z, 0.0));
    }
}

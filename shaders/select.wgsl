// Selects the classes to explain, and computes their softmax probabilities.
//   y[n,j] = (class, logit, exp(logit − peak) / Σ_c exp(logits[c] − peak), count of the image's logits that are not finite)
// class is the request. For a negative request it is the next most probable class, the first if several are equal.
// logits [n][⌈classes/4⌉]: texels; requests [n][requests]: numbers; y [n][requests]: texels
// dispatch: n workgroups of LANES invocations, one workgroup per image
struct Params {
    classes: u32,
    requests: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read logits 1
@group(0) @binding(2) var<storage, read> requests: array<f32>;
#import write y 3
#import grid

struct Candidate {
    logit: f32,
    class_id: u32,
}
var<workgroup> candidates: array<Candidate, LANES>;
var<workgroup> sums: array<vec2<f32>, LANES>;
const NOTHING = Candidate(-3.4e38, 0xffffffffu);

// Whether `a` ranks before `b`.
fn before(a: Candidate, b: Candidate) -> bool {
    return a.logit > b.logit || (a.logit == b.logit && a.class_id < b.class_id);
}

// The most probable class that ranks after `last`.
fn next(image: u32, lane: u32, last: Candidate) -> Candidate {
    let texels = (params.classes + 3u) / 4u;
    var best = NOTHING;
    for (var i = lane; i < texels; i += LANES) {
        let four = load_logits(image * texels + i);
        for (var j = 0u; j < 4u; j++) {
            let candidate = Candidate(four[j], i * 4u + j);
            if candidate.class_id < params.classes && before(last, candidate) && before(candidate, best) {
                best = candidate;
            }
        }
    }
    candidates[lane] = best;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half && before(candidates[lane + half], candidates[lane]) {
            candidates[lane] = candidates[lane + half];
        }
    }
    workgroupBarrier();
    best = candidates[0];
    workgroupBarrier();
    return best;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let image = group_index(id, groups);
    let texels = (params.classes + 3u) / 4u;
    let peak = next(image, lane, Candidate(3.4e38, 0u));
    var sum = vec2<f32>();
    for (var i = lane; i < texels; i += LANES) {
        let logits = load_logits(image * texels + i);
        let four = exp(logits - peak.logit);
        // Tested by their bits, because a driver may assume that no operand of a comparison is NaN.
        let odd = (bitcast<vec4<u32>>(logits) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        for (var j = 0u; j < 4u; j++) {
            sum += select(vec2<f32>(), vec2<f32>(four[j], f32(odd[j])), i * 4u + j < params.classes);
        }
    }
    sums[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half { sums[lane] += sums[lane + half]; }
    }
    workgroupBarrier();
    var last = Candidate(3.4e38, 0u);
    for (var j = 0u; j < params.requests; j++) {
        // Computed in every round, so that the barriers stay in uniform control flow.
        let candidate = next(image, lane, last);
        let request = requests[image * params.requests + j];
        var class_id = u32(max(request, 0.0));
        if request < 0.0 {
            last = candidate;
            class_id = candidate.class_id;
        }
        if lane == 0u {
            class_id = min(class_id, params.classes - 1u);
            let logit = load_logits(image * texels + class_id / 4u)[class_id % 4u];
            let record = vec4<f32>(f32(class_id), logit, exp(logit - peak.logit) / sums[0].x, sums[0].y);
            store_y(image * params.requests + j, record);
        }
    }
}

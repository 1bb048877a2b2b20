// `sum_lanes`: the sum of `v` over the LANES invocations that share an output, in a fixed order. The first of them has it.
// `share_lanes`: the same for each of them.
// All invocations of the workgroup must call it. OUTPUTS outputs share a workgroup.
#ifdef COOPERATIVE
var<workgroup> partial: array<vec4<f32>, LANES * OUTPUTS>;
fn sum_lanes(v: vec4<f32>, lane: u32, output: u32) -> vec4<f32> {
    let at = output * LANES + lane;
    workgroupBarrier(); // all invocations have read an earlier sum
    partial[at] = v;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half { partial[at] += partial[at + half]; }
    }
    return partial[at];
}
fn share_lanes(v: vec4<f32>, lane: u32, output: u32) -> vec4<f32> {
    sum_lanes(v, lane, output);
    workgroupBarrier();
    return partial[output * LANES];
}
#else
fn sum_lanes(v: vec4<f32>, lane: u32, output: u32) -> vec4<f32> { return v; }
fn share_lanes(v: vec4<f32>, lane: u32, output: u32) -> vec4<f32> { return v; }
#endif

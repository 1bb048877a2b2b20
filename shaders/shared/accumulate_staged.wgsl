// The sums of a macro tile over `steps` channel blocks, those of all taps in their order: weights from texel `first` on,
// and of the pixel that this invocation brings, `brought`, the texels `bring(brought, step, there)`. Past the last step
// nothing is there, and weights are zero. Every invocation of the workgroup must come here with the same `steps`.
#import sums
    for (var step = 0u; step < steps; step += DEPTH) {
        workgroupBarrier(); // the texels before have been read
#for s in 0..STAGED
        let at$s = local + $su * WORKGROUP;
        let step$s = step + at$s / SPAN;
        staged_x[at$s] = bring(brought, step$s, step$s < steps);
        let weight$s = step * BLOCKS * 4u + at$s;
        staged_w[at$s] = fetch_w(select(0u, 1u + first + weight$s, weight$s < steps * BLOCKS * 4u));
#endfor
        workgroupBarrier();
        var q = deep * 4u;
        for (var k = 0u; k < DEPTH; k++) {
#for p in 0..PIXELS
            let x$p = staged_x[k * SPAN + across + $pu * ACROSS];
#endfor
#import accumulate load_staged_w
        }
    }

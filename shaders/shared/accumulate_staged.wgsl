// The sums of a macro tile over `steps` channel blocks, those of all taps in order. Weights begin at texel `first`.
// `bring(brought, step, there)` loads texels of the pixel `brought`, which this invocation loads for the workgroup. Past the last
// step `there` is false and weights are zero. Every invocation of the workgroup must come here with the same `steps`.
// The next round's texels are loaded to registers while this round's are multiplied. Products are added one by one, so that each
// becomes one fused multiply-add. With NARROW they are products of f16, which f32 holds exactly. With THREE there is no fourth
// input.
// takes: steps, first, brought, bring, fetch_w, local, member, slice, deep, across
// leaves: sum{LOADS}{QUADS}_{PIXELS}
#import sums
#for s in 0..STAGED_X
    let x_at$s = member + $su * MEMBERS;
    let x_step$s = slice * DEPTH + x_at$s / SPAN;
    var x_next$s = bring(brought, x_step$s, x_step$s < steps);
#endfor
    let weights = steps * BLOCKS * 4u;
#for s in 0..STAGED_W
    let w_at$s = member + $su * MEMBERS;
    let w_first$s = slice * DEPTH * BLOCKS * 4u + w_at$s;
    var w_next$s = fetch_w(select(0u, 1u + first + w_first$s, w_first$s < weights));
#endfor
    var half = 0u;
    for (var round = 0u; round < steps; round += SLICES * DEPTH) {
        let x_from = half * HALF_X + slice * DEPTH * SPAN;
        let w_from = half * HALF_W + slice * DEPTH * BLOCKS * 4u;
#for s in 0..STAGED_X
        staged_x[x_from + x_at$s] = Staged(x_next$s);
#endfor
#for s in 0..STAGED_W
        staged_w[w_from + w_at$s] = Staged(w_next$s);
#endfor
        workgroupBarrier(); // this half is filled, and no invocation reads the other one any more
        let next = round + SLICES * DEPTH;
#import bring_next w_first
#for k in 0..DEPTH
        {
#for p in 0..PIXELS
            let x$p = vec4<f32>(staged_x[x_from + $ku * SPAN + across + $pu * ACROSS]);
#endfor
#for l in 0..LOADS
            {
                let column = w_from + ($ku * BLOCKS + deep + $($l*APART)u) * 4u;
                let a0 = vec4<f32>(staged_w[column]);
                let a1 = vec4<f32>(staged_w[column + 1u]);
                let a2 = vec4<f32>(staged_w[column + 2u]);
                let a3 = vec4<f32>(staged_w[column + 3u]);
#for p in 0..PIXELS
                sum$l0_$p += a0 * x$p.x;
                sum$l0_$p += a1 * x$p.y;
                sum$l0_$p += a2 * x$p.z;
#ifdef THREE
#else
                sum$l0_$p += a3 * x$p.w;
#endif
#endfor
            }
#endfor
        }
#endfor
        half = 1u - half;
    }
#ifdef SLICED
#ifdef NARROW
#import add_slices parts
#else
#import add_slices staged_x
#endif
#endif

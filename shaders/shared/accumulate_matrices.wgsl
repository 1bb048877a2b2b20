// The sums of a macro tile as in `accumulate_staged`, on units that multiply 16×16 matrices. Operands are converted to f16 when
// they are stored in shared memory; sums stay f32. Each subgroup makes 32 outputs × 32 pixels, as 2×2 matrices. At the end all
// sums pass through shared memory to the invocations that write them. Padding between pixels keeps neighbours out of the same
// memory bank.
// takes: steps, first, brought, bring, fetch_w, local, member, deep, across
// leaves: sum{LOADS}{QUADS}_{PIXELS}
    let x_own = local / 32u % (SPAN / 32) * 32u; // this subgroup's first pixel and block of outputs
    let w_own = local / 32u / (SPAN / 32) * 8u;
#for m in 0..2
#for n in 0..2
    var c$m$n = coop_mat16x16<f32, C>();
#endfor
#endfor
#for s in 0..STAGED_X
    let x_at$s = member + $su * MEMBERS;
    let x_step$s = x_at$s / SPAN;
    var x_next$s = bring(brought, x_step$s, x_step$s < steps);
#endfor
    let weights = steps * BLOCKS * 4u;
#for s in 0..STAGED_W
    let w_at$s = member + $su * MEMBERS;
    let w_to$s = (w_at$s / (BLOCKS * 4u) * 4u + w_at$s % 4u) * BLOCKS + w_at$s / 4u % BLOCKS;
    var w_next$s = fetch_w(select(0u, 1u + first + w_at$s, w_at$s < weights));
#endfor
    var half = 0u;
    for (var round = 0u; round < steps; round += DEPTH) {
        let x_from = half * SPAN * PITCH;
        let w_from = half * DEPTH * 4u * BLOCKS;
#for s in 0..STAGED_X
        narrow_x[x_from + x_at$s % SPAN * PITCH + x_step$s] = vec4<f16>(x_next$s);
#endfor
#for s in 0..STAGED_W
        narrow_w[w_from + w_to$s] = vec4<f16>(w_next$s);
#endfor
        workgroupBarrier(); // this half is filled, and no invocation reads the other one any more
        let next = round + DEPTH;
#import bring_next w_at
#for k in 0..FRAGMENTS
        {
#for m in 0..2
            let a$m = coopLoad<coop_mat16x16<f16, A>>(&narrow_w[w_from + w_own + $($k*16)u * BLOCKS + $($m*4)u], BLOCKS);
#endfor
#for n in 0..2
            let b$n = coopLoad<coop_mat16x16<f16, B>>(&narrow_x[x_from + (x_own + $($n*16)u) * PITCH + $($k*4)u], PITCH);
#endfor
#for m in 0..2
#for n in 0..2
            c$m$n = coopMultiplyAdd(a$m, b$n, c$m$n);
#endfor
#endfor
        }
#endfor
        half = 1u - half;
    }
#for m in 0..2
#for n in 0..2
    coopStore(c$m$n, &wide[(x_own + $($n*16)u) * (BLOCKS + 1u) + w_own + $($m*4)u], BLOCKS + 1u);
#endfor
#endfor
    workgroupBarrier();
#for l in 0..LOADS
#for p in 0..PIXELS
    let sum$l0_$p = wide[(across + $pu * ACROSS) * (BLOCKS + 1u) + deep + $($l*APART)u];
#endfor
#endfor

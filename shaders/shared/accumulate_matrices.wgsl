// The sums of a macro tile as in `accumulate_staged`, by units that multiply 16×16 matrices: operands become f16 on their way
// into shared memory, sums stay f32. Each of the workgroup's subgroups makes 32 outputs × 32 pixels, as 2×2 matrices; at last
// all of them pass through shared memory to the invocations that write them. Pixels lie PITCH apart, so that those of one bank
// of memory do.
    let x_own = local / 32u % (SPAN / 32) * 32u; // this subgroup's first pixel and output
    let w_own = local / 32u / (SPAN / 32) * 32u;
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
    var w_next$s = fetch_w(select(0u, 1u + first + w_at$s, w_at$s < weights));
#endfor
    var half = 0u;
    for (var round = 0u; round < steps; round += DEPTH) {
        let x_from = half * SPAN * PITCH;
        let w_from = half * DEPTH * 16u * BLOCKS;
#for s in 0..STAGED_X
        let x_narrow$s = vec4<f16>(x_next$s);
        let x_to$s = x_from + x_at$s % SPAN * PITCH + x_step$s * 4u;
#for lane in 0..4
        narrow_x[x_to$s + $laneu] = x_narrow$s[$lane];
#endfor
#endfor
#for s in 0..STAGED_W
        let w_narrow$s = vec4<f16>(w_next$s);
        let w_step$s = w_at$s / (BLOCKS * 4u) * 4u + w_at$s % 4u;
        let w_to$s = w_from + w_step$s * BLOCKS * 4u + w_at$s / 4u % BLOCKS * 4u;
#for lane in 0..4
        narrow_w[w_to$s + $laneu] = w_narrow$s[$lane];
#endfor
#endfor
        workgroupBarrier(); // this half is full, and nobody reads the other any more
        let next = round + DEPTH;
#for s in 0..STAGED_X
        x_next$s = bring(brought, next + x_step$s, next + x_step$s < steps);
#endfor
#for s in 0..STAGED_W
        let w_texel$s = next * BLOCKS * 4u + w_at$s;
        w_next$s = fetch_w(select(0u, 1u + first + w_texel$s, w_texel$s < weights));
#endfor
#for k in 0..FRAGMENTS
        {
#for m in 0..2
            let a$m = coopLoad<coop_mat16x16<f16, A>>(&narrow_w[w_from + $($k*16)u * BLOCKS * 4u + w_own + $($m*16)u], BLOCKS * 4u);
#endfor
#for n in 0..2
            let b$n = coopLoad<coop_mat16x16<f16, B>>(&narrow_x[x_from + (x_own + $($n*16)u) * PITCH + $($k*16)u], PITCH);
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
    coopStore(c$m$n, &wide[(x_own + $($n*16)u) * BLOCKS * 4u + w_own + $($m*16)u], BLOCKS * 4u);
#endfor
#endfor
    workgroupBarrier();
#for l in 0..LOADS
#for p in 0..PIXELS
    let at$l_$p = ((across + $pu * ACROSS) * BLOCKS + deep + $($l*APART)u) * 4u;
    let sum$l0_$p = vec4<f32>(wide[at$l_$p], wide[at$l_$p + 1u], wide[at$l_$p + 2u], wide[at$l_$p + 3u]);
#endfor
#endfor

// One step of a register tile: BLOCKS·4 outputs × PIXELS pixels × 4 inputs, weights from texel `q` on. The sums of
// block l · QUADS + g and pixel p are `sum{l}{g}_{p}`.
// With SUBGROUP a whole subgroup has the same `q`: its lanes fetch one texel each, and spread them.
#for l in 0..LOADS
#ifdef SUBGROUP
            let w$l = load_w(q + $($l*QUADS*4)u + (lane & (QUADS * 4u - 1u)));
#endif
#for g in 0..QUADS
            {
#ifdef SUBGROUP
                let a = mat4x4(subgroupBroadcast(w$l, $($g*4)u), subgroupBroadcast(w$l, $($g*4+1)u), subgroupBroadcast(w$l, $($g*4+2)u), subgroupBroadcast(w$l, $($g*4+3)u));
#else
                let column = q + $lu * 4u;
                let a = mat4x4(load_w(column), load_w(column + 1u), load_w(column + 2u), load_w(column + 3u));
#endif
#for p in 0..PIXELS
                sum$l$g_$p += a * x$p;
#endfor
            }
#endfor
#endfor
            q += BLOCKS * 4u;

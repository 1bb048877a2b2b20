// One step of a register tile: LOADS·QUADS·4 outputs × PIXELS pixels × 4 inputs, weights by `$1` from texel `q` on. The
// sums of block l · QUADS + g and pixel p are `sum{l}{g}_{p}`. A next step's weights lie BLOCKS·4 texels on.
// With SUBGROUP a whole subgroup has the same `q`: its lanes fetch one texel each, and spread them.
#for l in 0..LOADS
#ifdef SUBGROUP
            let w$l = $1(q + $($l*QUADS*4)u + (lane & (QUADS * 4u - 1u)));
#endif
#for g in 0..QUADS
            {
#ifdef SUBGROUP
                let a = mat4x4(subgroupBroadcast(w$l, $($g*4)u), subgroupBroadcast(w$l, $($g*4+1)u), subgroupBroadcast(w$l, $($g*4+2)u), subgroupBroadcast(w$l, $($g*4+3)u));
#else
                let column = q + $lu * 4u;
                let a = mat4x4($1(column), $1(column + 1u), $1(column + 2u), $1(column + 3u));
#endif
#for p in 0..PIXELS
                sum$l$g_$p += a * x$p;
#endfor
            }
#endfor
#endfor
            q += BLOCKS * 4u;

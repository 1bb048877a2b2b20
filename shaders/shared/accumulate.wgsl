// One step of a register tile: LOADS·QUADS·4 outputs × PIXELS pixels × 4 inputs. `$1` loads the weights, from texel `q` on.
// The sum of block l · QUADS + g and pixel p is `sum{l}{g}_{p}`. The next step's weights begin BLOCKS·4 texels later.
// With SUBGROUP all lanes of a subgroup have the same `q`. Each lane loads one texel and broadcasts it.
// With THREE there is no fourth input, as in photos, and no work is spent on it.
// takes: q, x{PIXELS}, sum{LOADS}{QUADS}_{PIXELS}, $1, and lane with SUBGROUP
// leaves: nothing
#for l in 0..LOADS
#ifdef SUBGROUP
            let w$l = $1(q + $($l*QUADS*4)u + (lane & (QUADS * 4u - 1u)));
#endif
#for g in 0..QUADS
            {
#ifdef SUBGROUP
                let a0 = subgroupBroadcast(w$l, $($g*4)u);
                let a1 = subgroupBroadcast(w$l, $($g*4+1)u);
                let a2 = subgroupBroadcast(w$l, $($g*4+2)u);
                let a3 = subgroupBroadcast(w$l, $($g*4+3)u);
#else
                let column = q + $lu * 4u;
                let a0 = $1(column);
                let a1 = $1(column + 1u);
                let a2 = $1(column + 2u);
                let a3 = $1(column + 3u);
#endif
#for p in 0..PIXELS
#ifdef THREE
                sum$l$g_$p += mat3x4(a0, a1, a2) * x$p.xyz;
#else
                sum$l$g_$p += mat4x4(a0, a1, a2, a3) * x$p;
#endif
#endfor
            }
#endfor
#endfor
            q += BLOCKS * 4u;

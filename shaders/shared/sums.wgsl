// The sums of a register tile, see `accumulate`.
// takes: nothing
// leaves: sum{LOADS}{QUADS}_{PIXELS}
#for l in 0..LOADS
#for g in 0..QUADS
#for p in 0..PIXELS
    var sum$l$g_$p = vec4<f32>();
#endfor
#endfor
#endfor

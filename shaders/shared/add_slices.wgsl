// Adds the slices' sums in order, in the first slice. They pass through the shared memory `$1`.
// takes: $1, local, member, slice, sum{LOADS}{QUADS}_{PIXELS}
// leaves: nothing
#for l in 0..LOADS
#for p in 0..PIXELS
    workgroupBarrier();
    $1[local] = sum$l0_$p;
    workgroupBarrier();
    if slice == 0u {
        for (var other = 1u; other < SLICES; other++) { sum$l0_$p += $1[other * MEMBERS + member]; }
    }
#endfor
#endfor

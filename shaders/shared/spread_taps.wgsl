// Loads the $3 texels of `$2` for channel block c as `$1{0}` to `$1{$3 − 1}`, and its bias as `$1{$3}`. Biases lie behind the
// texels of all blocks. With SUBGROUP the lanes load them in $4 rounds, one texel per lane and round.
// takes: c, load_$2, params.blocks, and lane with SUBGROUP
// leaves: $1{$3}
#ifdef SUBGROUP
#for j in 0..$4
        let $1_of$j = $ju * SUBGROUP + lane;
        let $1s$j = load_$2(select(c * $3 + $1_of$j, params.blocks * $3 + c, $1_of$j >= $3));
#for l in 0..SUBGROUP
        let $1$($j*SUBGROUP+$l) = subgroupBroadcast($1s$j, $lu);
#endfor
#endfor
#else
#for t in 0..$3
        let $1$t = load_$2(c * $3 + $tu);
#endfor
        let $1$($3) = load_$2(params.blocks * $3 + c);
#endif

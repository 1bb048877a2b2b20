// Adds the bias to a register tile and writes it. `sum{l}{g}_{p}` is block `block` + l · QUADS · APART + g of the group at pixel
// p. Pixels from `end` on are not written. In each image of `y_blocks` blocks, the value begins at block `y_first`.
// Parameters are read before the branches. Inside a branch, lavapipe would gather them lane by lane.
// takes: row, block, bias, end, out_plane, place{PIXELS}, to{PIXELS}, pixel{PIXELS}, sum{LOADS}{QUADS}_{PIXELS}, params.out_blocks, params.y_blocks, params.y_first, load_w, store_y, finish
// leaves: nothing
    let out_blocks = params.out_blocks;
    let y_first = (params.y_first + row.x * out_blocks + block) * out_plane;
#for p in 0..PIXELS
    let start$p = place$p.x * params.y_blocks * out_plane + to$p + y_first;
#endfor
#for l in 0..LOADS
#for g in 0..QUADS
    if block + $($l*QUADS*APART+$g)u < out_blocks {
        let b = load_w(bias + $($l*QUADS*APART+$g)u);
#for p in 0..PIXELS
        if pixel$p < end {
            let to = start$p + $($l*QUADS*APART+$g)u * out_plane;
            store_y(to, finish(to, sum$l$g_$p + b));
        }
#endfor
    }
#endfor
#endfor

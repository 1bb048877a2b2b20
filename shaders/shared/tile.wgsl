// Writes a register tile with its bias: block `block` + l · QUADS + g of the group at pixel p, before pixel `end`. The value begins at block
// `y_first` of each image's `y_blocks`.
#for l in 0..LOADS
#for g in 0..QUADS
    if block + $($l*QUADS+$g)u < params.out_blocks {
        let b = load_w(bias + $($l*QUADS+$g)u);
        let y_row = params.y_first + row.x * params.out_blocks + block + $($l*QUADS+$g)u;
#for p in 0..PIXELS
        if pixel$p < end {
            let to = (place$p.x * params.y_blocks + y_row) * out_plane + to$p;
            store_y(to, finish(to, sum$l$g_$p + b));
        }
#endfor
    }
#endfor
#endfor

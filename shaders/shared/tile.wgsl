// Writes a register tile with its bias: block `block` + l · QUADS + g at pixel p goes to texel
// ((image · groups + group) · out_blocks + block) · plane + place.
#for l in 0..LOADS
#for g in 0..QUADS
    if block + $($l*QUADS+$g)u < params.out_blocks {
        let b = load_w(bias + $($l*QUADS+$g)u);
#for p in 0..PIXELS
        if strip + $pu * params.strips < params.pixels {
            let to = (image$p * params.out_blocks + block + $($l*QUADS+$g)u) * out_plane + to$p;
            store_y(to, finish(to, sum$l$g_$p + b));
        }
#endfor
    }
#endfor
#endfor

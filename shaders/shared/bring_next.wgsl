// Loads the next round's texels to registers: those of pixels, and those of weights at offsets `$1`.
// takes: next, steps, first, weights, brought, bring, fetch_w, x_step{STAGED_X}, x_next{STAGED_X}, w_next{STAGED_W}, $1{STAGED_W}
// leaves: nothing
#for s in 0..STAGED_X
        x_next$s = bring(brought, next + x_step$s, next + x_step$s < steps);
#endfor
#for s in 0..STAGED_W
        let w_texel$s = next * BLOCKS * 4u + $1$s;
        w_next$s = fetch_w(select(0u, 1u + first + w_texel$s, w_texel$s < weights));
#endfor

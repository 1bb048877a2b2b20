// Loads the texels of x under an invocation's windows, once for all channels that are computed from them.
// takes: image, size, first, line{ROWS}, width{ROWS}, fetch_x
// leaves: x{STEPS}_{ROWS}_{COLUMNS}
#for i in 0..STEPS
#for r in 0..ROWS
    let row$i_$r = ((image * STEPS + $iu) * size.y + line$r) * size.x + first.x + 1u;
#for k in 0..COLUMNS
    let x$i_$r_$k = fetch_x(select(0u, row$i_$r + $ku, first.x + $ku < width$r));
#endfor
#endfor
#endfor

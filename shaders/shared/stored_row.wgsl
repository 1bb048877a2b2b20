// Row $1 of the windows over x, for channel block c.
// takes: image, c, size, first, line$1, width$1, params.blocks, fetch_x
// leaves: v{COLUMNS}
            let row = ((image * params.blocks + c) * size.y + line$1) * size.x + first.x + 1u;
#for k in 0..COLUMNS
            let v$k = fetch_x(select(0u, row + $ku, first.x + $ku < width$1));
#endfor

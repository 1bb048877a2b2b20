// The tile and channel block of an invocation of a Winograd transform, among the `count` tiles from `first` on.
// takes: id, groups, params.blocks, params.count, params.first, params.tiles, invocation, split
// leaves: at, block, row, line, image
    let at = invocation(id, groups);
    let cut = split(at, params.count);
    let block = cut.x;
    if block >= params.blocks { return; }
    let row = split(params.first + cut.y, params.tiles.x);
    let line = split(row.x, params.tiles.y);
    let image = line.x;

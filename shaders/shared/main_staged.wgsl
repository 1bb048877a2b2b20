// The start of a kernel with macro tiles. Folding the grid to two dimensions may add workgroups past the last tile. They reach
// the barriers like the others, but take no step and write nothing.
// takes: params.first, params.out_blocks, params.piece, params.pixels, params.strips, params.tiles, split, group_index
// leaves: main, local, tile, row, there, end, slice, member, deep, across, block, pixel, pixel{PIXELS}
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let cut = split(group_index(id, groups), params.strips);
    let tile = cut.x;
    let there = tile < params.piece;
    let end = params.pixels;
    let row = split(params.first + tile, params.tiles);
    let slice = local / MEMBERS;
    let member = local % MEMBERS;
    let deep = member / ACROSS;   // this invocation's place in the tile
    let across = member % ACROSS;
    let pixel = min(cut.y * SPAN + member % SPAN, end - 1u); // the pixel that it loads
#for p in 0..PIXELS
    let pixel$p = cut.y * SPAN + across + $pu * ACROSS; // a pixel that it makes
#endfor
    // Only the first slice writes, for all slices.
    let block = select(params.out_blocks, row.y * BLOCKS + deep, there && slice == 0u);

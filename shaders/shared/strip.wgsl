// Tile and strip of invocation `at`, with `strips` strips for each tile. All tiles of a run of strips come before the next run,
// so that a cache keeps what they read of x.
// takes: params.piece, params.run, params.strips, split
// leaves: tile_and_strip, first_pixel, apart
fn tile_and_strip(at: u32, strips: u32) -> vec2<u32> {
    let part = split(at, params.piece * params.run);
    let first = part.x * params.run;
    let cut = split(part.y, min(params.run, strips - first));
    return vec2<u32>(cut.x, first + cut.y);
}

// The PIXELS pixels of a strip: the first one, and their distance. With SUBGROUP the pixels of a subgroup's strips are
// contiguous.
#ifdef SUBGROUP
fn first_pixel(strip: u32) -> u32 { return strip / SUBGROUP * SUBGROUP * PIXELS + strip % SUBGROUP; }
fn apart() -> u32 { return SUBGROUP; }
#else
fn first_pixel(strip: u32) -> u32 { return strip; }
fn apart() -> u32 { return params.strips; }
#endif

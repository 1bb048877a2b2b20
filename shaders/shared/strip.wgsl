// Which PIXELS pixels belong to strip `strip`: those of a subgroup's strips lie together.
#ifdef SUBGROUP
fn first_pixel(strip: u32) -> u32 { return strip / SUBGROUP * SUBGROUP * PIXELS + strip % SUBGROUP; }
fn apart() -> u32 { return SUBGROUP; }
#else
fn first_pixel(strip: u32) -> u32 { return strip; }
fn apart() -> u32 { return params.strips; }
#endif

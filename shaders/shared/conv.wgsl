// Parameters, operands and geometry of `conv.wgsl` and `conv_shared.wgsl`.
struct Params {
#import geometry
    in_blocks: u32,       // channel blocks of one group
    out_blocks: u32,
    groups: u32,
    tiles: u32,           // of one group
    strips: u32,
    run: u32,             // strips of a run, see `strip.wgsl`
    pixels: u32,          // n · grid
    first: u32,           // first tile of this piece of w; `piece` is their number
    piece: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#import epilogue 4
#import source

// `grid_pixel` is the column and row of output i in the grid. `window` is where the window of output o begins. `plane_texel` is
// the index of output o in its plane of y.
fn grid_pixel(i: u32) -> vec2<u32> { return split(i, params.grid.x).yx; }
fn window(o: vec2<u32>) -> vec2<u32> { return o * params.stride - params.pad; } // a negative start wraps far outside x
fn plane_texel(o: vec2<u32>) -> u32 {
    let at = o * params.step + params.offset;
    return at.y * params.out_size.x + at.x;
}

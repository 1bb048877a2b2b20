// Parameters and operands of `pointwise.wgsl` and `pointwise_shared.wgsl`.
struct Params {
    in_blocks: u32,   // channel blocks of one group
    out_blocks: u32,
    tiles: u32,       // of one group
    strips: u32,      // of all images; with GATED of one image
    run: u32,         // strips of a run, see `strip.wgsl`
    pixels: u32,      // n · plane
    plane: u32,       // h · w
    first: u32,       // first tile of this piece of w; `piece` is their number
    piece: u32,
    x_blocks: u32,    // blocks of an image of x; `x_first` is the first one read
    x_first: u32,
    y_blocks: u32,    // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#ifdef PROLOGUE
#import prologue 4
#import epilogue 5
#else
#import epilogue 4
#endif

// Geometry of a convolution: the first parameters of all kernels that have windows and weights, members of their `Params`.
//   y[o·step + offset] = Σ_k w[k] · x[o·stride − pad + k·dilation], for each pixel o of the grid
// All are width before height; what a shader unrolls is a constant too. Layouts, tile and dispatch are the kernels' own.
    in_size: vec2<u32>,   // of x; out_size of y
    grid: vec2<u32>,      // of the outputs that are made
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row; wraps where negative
    step: vec2<u32>,      // between outputs
    offset: vec2<u32>,    // of the first output

// Geometry of a convolution: the first members of `Params` in all kernels that have windows and weights.
//   y[o·step + offset] = Σ_k w[k] · x[o·stride − pad + k·dilation], for each pixel o of the grid
// Width comes before height. Numbers by which a shader is unrolled are constants too. Each kernel states its own layouts, tile
// and dispatch.
    in_size: vec2<u32>,   // of x; out_size of y
    grid: vec2<u32>,      // of the outputs that are made
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row; negative padding wraps
    step: vec2<u32>,      // between outputs
    offset: vec2<u32>,    // of the first output

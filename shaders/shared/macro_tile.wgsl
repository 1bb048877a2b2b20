// A macro tile, which a workgroup makes together: BLOCKS · 4 outputs × SPAN pixels. Each of MEMBERS invocations makes a register
// tile of it: LOADS blocks, APART apart, × PIXELS pixels, ACROSS apart. So neighbouring invocations read and write neighbouring
// texels. Each of SLICES teams of MEMBERS invocations makes a part of the sums, DEPTH steps at a time. Shared memory has room for
// the pixels and weights of these steps twice: while one half is read, the other is filled.
const SPAN = ACROSS * PIXELS;
#ifdef MATRIX
const PITCH = DEPTH + 2;
var<workgroup> narrow_x: array<vec4<f16>, 2 * SPAN * PITCH>;       // [2][SPAN][DEPTH and padding]
var<workgroup> narrow_w: array<vec4<f16>, 2 * DEPTH * 4 * BLOCKS>; // [2][DEPTH][4][BLOCKS]
var<workgroup> wide: array<vec4<f32>, SPAN * (BLOCKS + 1)>;        // [SPAN][BLOCKS and padding]
#else
#ifdef NARROW
alias Staged = vec4<f16>;
#ifdef SLICED
var<workgroup> parts: array<vec4<f32>, SLICES * MEMBERS>; // [SLICES][MEMBERS]
#endif
#else
alias Staged = vec4<f32>;
#endif
const HALF_X = SLICES * DEPTH * SPAN;
const HALF_W = SLICES * DEPTH * BLOCKS * 4;
var<workgroup> staged_x: array<Staged, 2 * HALF_X>; // [2][SLICES][DEPTH][SPAN]
var<workgroup> staged_w: array<Staged, 2 * HALF_W>; // [2][SLICES][DEPTH][BLOCKS][4], as in w
#endif

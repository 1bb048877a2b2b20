// The sums of a macro tile, with MATRIX on matrix units.
// takes: steps, first, brought, bring, fetch_w, local, member, slice, deep, across
// leaves: sum{LOADS}{QUADS}_{PIXELS}
#ifdef MATRIX
#import accumulate_matrices
#else
#import accumulate_staged
#endif

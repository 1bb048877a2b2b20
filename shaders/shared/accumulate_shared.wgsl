// The sums of a macro tile, by the arithmetic that its team has.
#ifdef MATRIX
#import accumulate_matrices
#else
#import accumulate_staged
#endif

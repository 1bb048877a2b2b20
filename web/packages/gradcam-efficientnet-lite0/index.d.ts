/** The address of the weights. */
declare const weights: string;
export default weights;

/** The address of the weights. */
export default new URL('./efficientnet_lite0.safetensors', import.meta.url).href;

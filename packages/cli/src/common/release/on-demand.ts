/** Loads what only a product file, --for or --cose-alg needs: a command without them starts faster. */
export const onDemand = async () => (await import("./product-parts.js")).parts;

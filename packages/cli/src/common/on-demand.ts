/** Loads what only a product file or a micro verifier needs: a command without either starts faster. */
export const onDemand = async () => (await import("./product-parts.js")).parts;

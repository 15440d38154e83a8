/**
 * The name of a product file, if no other is given. In a module of its own: to look for it must not load its readers.
 */
export const PRODUCT_FILE = "firmseal.toml";

/**
 * The name of a product file, if no other is given. In a module of its own, so that looking for the file does not load
 * its readers.
 */
export const PRODUCT_FILE = "firmseal.toml";

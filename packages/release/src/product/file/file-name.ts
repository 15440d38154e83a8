import { shellWord, visible } from "@firmseal/keys/internal";

/**
 * The name of a product file, if no other is given. In a module of its own, so that looking for the file does not load
 * its readers.
 */
export const PRODUCT_FILE = "firmseal.toml";

/** The option with which a command in a hint finds the product file: empty for the one that it finds by its name. */
export const productOption = (path: string | undefined): string =>
  path === undefined || path === PRODUCT_FILE ? "" : ` --product ${shellWord(visible(path))}`;

/** The option with which a command in a hint finds the log that this one was given. */
export const logOption = (path: string | undefined): string => (path === undefined ? "" : ` --log ${shellWord(visible(path))}`);

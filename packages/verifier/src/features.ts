// What a device bundle may leave out. Here everything is there; the bundler sets to false what a product does not ask for, and what stands
// behind it falls away. A manifest that needs what is missing is refused by open(), before anything runs.

/** The directives copy and swap. */
export const HAS_COPY = true;

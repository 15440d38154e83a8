/**
 * The day on which this version was released, in milliseconds since 1970. `pnpm bump` writes it. 0: none was released
 * yet. It is not the time of the build: two builds of a version must be the same bytes.
 */
export const RELEASED = 0;

/** Flags for node. */
export const OPTIMISER_FLAGS: readonly string[];
/** For NODE_OPTIONS: the same flags, for what a process starts as well. */
export const OPTIMISER_OPTION: string;

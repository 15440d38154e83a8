// What the simulator uses of node:path/posix, for its own absolute paths.

/** The path of the folder. */
export const dirname = (path: string) => path.slice(0, Math.max(1, path.lastIndexOf("/")));

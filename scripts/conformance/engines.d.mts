/** A program and its first arguments, which run an engine: one for ARM runs under qemu elsewhere. */
export function starterOf(engine: { variable?: string }, command: string): string[];

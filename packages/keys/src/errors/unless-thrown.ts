/** Returns what `f` returns, and undefined if it throws. */
export function unlessThrown<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}

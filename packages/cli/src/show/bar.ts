// A bar in ASCII, like the map of power cuts: every terminal and every log shows it.

/** A bar for a share from 0 to 1. Only a full one looks full, and only an empty one empty. */
export function barText(share: number, width: number): string {
  const whole = Math.round(Math.min(1, Math.max(0, share)) * width);
  const filled = share > 0 && share < 1 ? Math.min(width - 1, Math.max(1, whole)) : whole;
  return "#".repeat(filled).padEnd(width, ".");
}

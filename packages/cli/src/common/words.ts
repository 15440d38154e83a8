// Words that several commands have for the same facts.

import { type Receipt, someOf } from "@firmseal/keys";

/** "1 root", "2 roots". */
export const plural = (n: number, one: string) => `${formatCount(n)} ${one}${n === 1 ? "" : "s"}`;

/** With commas: 1,000,000. */
export const formatCount = (n: number) => n.toLocaleString("en-US");

export function receiptWords(log: readonly Receipt[]): string[] {
  return log.map(({ path, entry }) => `${path}: entry ${entry}`);
}

export function outsideWords(uris: readonly string[]): string[] {
  return uris.length > 0 ? [`outside the envelope, devices fetch: ${someOf(uris)}`] : [];
}

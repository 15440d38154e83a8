// Words that several commands have for the same facts.

import { type Receipt, someOf } from "@firmseal/keys";
import { versionIn } from "@firmseal/release";

/** "1 root", "2 roots". */
export const plural = (n: number, one: string) => `${formatCount(n)} ${one}${n === 1 ? "" : "s"}`;

/** With commas: 1,000,000. */
export const formatCount = (n: number) => n.toLocaleString("en-US");

/** The version of a release, for its JSON: missing if its text names none. */
export function versionFacts(outline: Parameters<typeof versionIn>[0]): { version?: string } {
  const version = versionIn(outline);
  return version === undefined ? {} : { version };
}

/** The number of a release, behind its version. */
export function numberWords({ sequence, version }: { sequence: string; version?: string }): string {
  return `${version === undefined ? "" : `version ${version}, `}sequence number ${sequence}`;
}

export function receiptWords(log: readonly Receipt[]): string[] {
  return log.map(({ path, entry }) => `${path}: entry ${entry}`);
}

export function outsideWords(uris: readonly string[]): string[] {
  return uris.length > 0 ? [`outside the envelope, devices fetch: ${someOf(uris)}`] : [];
}

// Words that several commands have for the same facts.

import { type ReleaseRecord, versionIn } from "@firmseal/behaviour";
import type { Receipt } from "@firmseal/keys";
import { plural, someOf, visible, type WithdrawnRelease, withdrawnWords } from "@firmseal/keys/internal";
import { progressWords, type RootProgress } from "@firmseal/release/internal";
import { decodeEnvelope } from "@firmseal/verifier/tools";

/** The version of a release, for its JSON: missing if its text names none. */
export function versionFacts(outline: Parameters<typeof versionIn>[0]): { version?: string } {
  const version = versionIn(outline);
  return version === undefined ? {} : { version };
}

/** The version of a release that a device has accepted: a device does not read the text, which may be damaged. */
export function versionIfAny(envelope: Uint8Array): { version?: string } {
  try {
    return versionFacts(decodeEnvelope(envelope));
  } catch {
    return {};
  }
}

/** The number of a release, after its version. */
export function numberWords({ sequence, version }: { sequence: string; version?: string }): string {
  return `${version === undefined ? "" : `version ${version}, `}sequence number ${sequence}`;
}

/** "mcuboot image, version 1.4.2, security counter 7". */
export function bootWords({
  format,
  sequence,
  version,
}: {
  format: string;
  sequence: string | null;
  version?: string | undefined;
}): string {
  const counter = sequence === null ? [] : [`security counter ${sequence}`];
  return [`${format} image`, ...(version === undefined ? [] : [`version ${version}`]), ...counter].join(", ");
}

/** "2 roots (needed: 2, and of each family: 2 of 2 ed25519, 0 of 2 hsslms)". */
export function rootWords({ signed, needed, families }: RootProgress, of = ""): string {
  const each = families.length > 0 ? `, and of each family: ${progressWords(families)}` : "";
  return `${plural(signed, "root")}${of} (needed: ${needed}${each})`;
}

/** A withdrawn release by a log or a mark, with its time, or by a record, with its day. */
type Named = WithdrawnRelease | ReleaseRecord["withdrawn"][number];

/** A withdrawn release, for the JSON output. */
export const withdrawnFact = ({ version, sequence, reason, ...when }: Named) => ({
  ...(version !== undefined && { version }),
  ...{ sequence, time: "date" in when ? when.date : when.time, reason },
});

export const withdrawnFacts = (all: readonly Named[]) => all.map(withdrawnFact);

/** "serial-1 runs a withdrawn release: version 1.4.1 was withdrawn on 2026-12-01: loses its settings" */
export const runningWords = (who: string, release: WithdrawnRelease): string =>
  `${visible(who)} runs a withdrawn release: ${withdrawnWords(release)}`;

/** "names 1.4.1 as withdrawn" */
export const withdrawnNames = (all: readonly { readonly version?: string | undefined; readonly sequence: string }[]): string =>
  `names ${someOf(all.map(({ version, sequence }) => version ?? sequence))} as withdrawn`;

export function receiptWords(log: readonly Receipt[]): string[] {
  return log.map(({ path, entry }) => `${path}: entry ${entry}`);
}

export function outsideWords(uris: readonly string[]): string[] {
  return uris.length > 0 ? [`outside the envelope, devices fetch: ${someOf(uris)}`] : [];
}

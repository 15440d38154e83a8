// What changes for devices between two releases, in words: `diff`, `release` and reports show it.

import { versionIn, whoWords } from "@firmseal/behaviour";
import type { ReleaseDifference } from "@firmseal/release";
import type { BehaviourChange } from "@firmseal/release/internal";
import { decodeEnvelope } from "@firmseal/verifier/tools";

function changeLines(change: BehaviourChange): string[] {
  return [`${whoWords(change)}:`, ...change.before.map((line) => `  - ${line}`), ...change.after.map((line) => `  + ${line}`)];
}

/** The versions that the texts of two envelopes name, if they differ. */
export function versionLines(before: Uint8Array, after: Uint8Array): string[] {
  const [was, is] = [before, after].map((envelope) => versionIn(decodeEnvelope(envelope)) ?? "none");
  return was === is ? [] : [`version ${was} before, ${is} after`];
}

/** A difference in words. */
export function differenceLines({ sequence, components, devices, images, behaviour }: ReleaseDifference): string[] {
  const same = sequence.before === sequence.after;
  const deviceLine = (what: string) => (d: { vendor: string; class: string }) => `${what} devices of vendor ${d.vendor}, class ${d.class}`;
  const lines = [
    same ? `sequence number ${sequence.before} in both` : `sequence number ${sequence.before} before, ${sequence.after} after`,
    ...components.gone.map((name) => `no longer the component ${name}`),
    ...components.new.map((name) => `new: the component ${name}`),
    ...devices.gone.map(deviceLine("no longer for")),
    ...devices.new.map(deviceLine("new: for")),
    ...images.map(
      ({ component, before, after }) => `image of component ${component}: before ${before.join("; ")}; after ${after.join("; ")}`,
    ),
    ...behaviour.flatMap(changeLines),
  ];
  return lines.length === 1 ? [...lines, "nothing else changes for a device"] : lines;
}

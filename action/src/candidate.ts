// What a candidate pins. Nothing in it depends on the machine, or on whether a signing key is there.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import * as core from "@actions/core";
import { visible } from "../../packages/keys/src/words.js";
import { unlessThrown } from "../../packages/signer/src/key-error.js";
import { type Difference, type Image, type ReleaseFacts, summarizeDifferences } from "./summary.js";

export const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export const productFile = () => core.getInput("product") || "firmseal.toml";

/** The folder of the images, which other jobs have written. By default that of the product file. */
export const imagesFolder = () => core.getInput("images") || dirname(productFile());

const imageOf = ({ component, slot, size, digest, uri, file, real }: Image) => {
  const path = relative(realpathSync(imagesFolder()), real).split(sep).join("/");
  return { path, component, slot, size, digest, uri, file };
};

/** The candidate: the product file with all that it names, the version, and the images. */
function candidateOf({ product, version, boards, references }: ReleaseFacts) {
  const { members = [], thumbprints = [] } = references ?? {};
  return {
    product,
    productFile: sha256(readFileSync(productFile())),
    version,
    // a private key is only where it signs
    members: members.map(({ member, refersTo, value, path, sha256: digest, startsProgram }) => ({
      ...{ member, refersTo, value, startsProgram },
      ...(member.startsWith("/keys/") ? {} : { path, sha256: digest }),
    })),
    thumbprints,
    boards: boards.map(({ board, classes, images }) => ({ board, classes, images: images.map(imageOf) })),
  };
}

/** The text of the candidate, which its digest is of. */
export const candidateText = (facts: ReleaseFacts) => `${JSON.stringify(candidateOf(facts), null, 2)}\n`;

/** Members with their names, in words. */
const inWords = (object: object) =>
  Object.entries(object)
    .flatMap(([name, value]) => (value === null || value === false ? [] : [`${name} ${value}`]))
    .join(", ");

/** The parts of a candidate by name, as a person compares them. */
function partsOf({ product, productFile, version, members, thumbprints, boards }: ReturnType<typeof candidateOf>): Map<string, string> {
  return new Map([
    ["the version", version],
    ["the product file", productFile],
    ["the name of the product", product],
    ...members.map(({ member, ...rest }): [string, string] => [`${rest.refersTo} ${member}`, inWords(rest)]),
    ["the keys that devices trust", thumbprints.join(", ")],
    ...boards.flatMap(({ board, classes, images }): [string, string][] => [
      [`board ${board}`, classes.join(", ")],
      ...images.map(({ path, component, slot, ...rest }): [string, string] => [
        `image ${path} of ${[board, slot, component].filter((one) => one !== null).join(" ")}`,
        inWords(rest),
      ]),
    ]),
  ]);
}

/** The parts in which two candidates differ. */
function differences(candidate: Map<string, string>, here: Map<string, string>): Difference[] {
  return [...new Set([...candidate.keys(), ...here.keys()])]
    .map((part) => ({ part, candidate: candidate.get(part) ?? "-", here: here.get(part) ?? "-" }))
    .filter((one) => one.candidate !== one.here);
}

/** The file of the candidate. Throws if its digest is not the pinned one. */
export function pinnedCandidate(): string {
  const wanted = core.getInput("candidate-digest", { required: true });
  if (!/^[0-9a-f]{64}$/.test(wanted)) throw new Error("candidate-digest: not a SHA-256 in hex; give the output of the candidate job");
  const path = core.getInput("candidate");
  if (!existsSync(path)) throw new Error(`candidate: the file ${path} does not exist; download what the candidate job uploaded`);
  const given = readFileSync(path);
  if (sha256(given) !== wanted) throw new Error(`${path} is not the candidate with the digest ${wanted}`);
  return given.toString("utf8");
}

/** Parts that an error names. The summary has all of them. */
const MOST_NAMED = 5;

/** Throws unless what is here makes what the candidate describes. The texts decide: the parts only say what differs. */
export function refuseOther(facts: ReleaseFacts): void {
  const text = pinnedCandidate();
  if (candidateText(facts) === text) return;
  const candidate = unlessThrown(() => partsOf(JSON.parse(text)));
  const found = candidate ? differences(candidate, partsOf(candidateOf(facts))) : [];
  if (found.length > 0) summarizeDifferences(found);
  const names = found.slice(0, MOST_NAMED).map(({ part }) => visible(part));
  const more = found.length > MOST_NAMED ? [`${found.length - MOST_NAMED} more parts`] : [];
  const what = names.length > 0 ? `these differ: ${[...names, ...more].join(", ")}` : "another version of the action has written it";
  throw new Error(`what would be released here is not the candidate: ${what}; run the candidate job again, and look at what it shows`);
}

// What a candidate pins. Nothing in it depends on the machine, or on whether a signing key is there.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import * as core from "@actions/core";
import type { Image, ReleaseFacts } from "./summary.js";

export const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export const productFile = () => core.getInput("product") || "firmseal.toml";

/** The folder of the images, which other jobs have written. By default that of the product file. */
export const imagesFolder = () => core.getInput("images") || dirname(productFile());

const imageOf = ({ component, slot, size, digest, uri, file, real }: Image) => {
  const path = relative(realpathSync(imagesFolder()), real).split(sep).join("/");
  return { path, component, slot, size, digest, uri, file };
};

/** The text of the candidate: the product file with all that it names, the version, and the images. */
export function candidateText({ product, version, boards, references }: ReleaseFacts): string {
  const { members = [], thumbprints = [] } = references ?? {};
  const candidate = {
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
  return `${JSON.stringify(candidate, null, 2)}\n`;
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

/** Throws unless what is here makes what the candidate describes. */
export function refuseOther(facts: ReleaseFacts): void {
  if (candidateText(facts) !== pinnedCandidate())
    throw new Error("what would be released here is not the candidate: the images or the product file have changed since");
}

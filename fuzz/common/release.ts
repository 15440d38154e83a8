// Two releases of one component for a small device, with the names that the vectors use, and the images that may start
// on it.

import { createHash } from "node:crypto";
import { type Bytes, boot, type Host, type Identity, install, type Source, type Trust } from "@firmseal/verifier";
import type { TrialDevice } from "../../packages/verifier/src/install/device.js";
import { bytes, digestParam, sharedOf, sizeParam, text, update } from "../../test-vectors/src/pieces/assemble.js";
import { sealed } from "./seal.js";
import { host, identity, trust } from "./vectors.js";
import { Finding, refusal } from "./verdict.js";

export const who = identity as unknown as Identity;
export const ID = [[0]];

const image = (seed: number, n: number) => Array.from({ length: n }, (_, i) => (i * 31 + seed * 7) & 255);
export const IMAGES = [image(1, 300), image(2, 260), image(3, 200)];

/** Release 7, 8 or 9. */
export const RELEASES = IMAGES.map((content, i) =>
  sealed(Uint8Array.from(update({ sequence: 7 + i, shared: sharedOf(digestParam(content), sizeParam(content.length)) })), [
    Uint8Array.from(text("#fw")),
    Uint8Array.from(bytes(content)),
  ]),
);

/** The SHA-256 of bytes, in hexadecimal. */
export const sha = (b: ArrayLike<number>) => createHash("sha256").update(Uint8Array.from(b)).digest("hex");
const genuine = new Set(IMAGES.map(sha));

/** Starts what a device has. Only what was signed is ever invoked. */
export function started(device: TrialDevice, invoked: () => ArrayLike<number> | undefined): number {
  return refusal(() => {
    const envelope = device.start();
    if (!envelope) return;
    const progress = boot(envelope, trust, device, host);
    if (progress.next()) progress.next(false);
    const what = invoked();
    if (what && !genuine.has(sha(what))) throw new Finding("an image was started that nobody has signed");
  });
}

/** Passes a piece of an envelope of `length` bytes to a device that keeps what it receives. */
export function received(device: object, piece: Bytes, length: number): void {
  (device as { receive(piece: Bytes, length: number, trust: Trust, host: Host): void }).receive(piece, length, trust, host);
}

/** Installs a release, received or from RAM. */
export function installed(device: TrialDevice, envelope: Bytes | Source): number {
  return refusal(() => {
    const progress = install(envelope, trust, device, host);
    if (progress.next()) progress.next(false);
  });
}

// The image in a release: the payload that a component holds after the installation, with the digest that the manifest
// has for it. The interpreter runs the installation for every kind of device, and nothing else decides.

import { createHash } from "node:crypto";
import { type Expectation, payloadsOf } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { byteWords, grouped, inputName, readAll, refusedInput, someOf, usage, visible } from "@firmseal/keys/internal";
import type { Manifest } from "@firmseal/verifier";
import { HASH_NAMES, readSlice } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { deviceKinds, isTrustComponent } from "./manifest-facts.js";
import { type PayloadHash, payloadFiles, refusePayload, triedInterpreter } from "./payload-check.js";
import { isRefusal } from "./refusals.js";
import { type DigestText, formatDigest } from "./tree.js";
import { payloadsBeside } from "./verified.js";

/** Which image of a release, if it has several. */
export interface ImageChoice {
  /** Index of the component. */
  readonly component?: number;
  /** Slot in which a device installs it. */
  readonly slot?: number;
  /** Files of payloads outside the envelope, as --payload names them. */
  readonly payload?: readonly string[];
}

/** An image, as the manifest means it. */
export interface PayloadImage {
  /** Index of the component that holds it. */
  readonly component: number;
  readonly uri: string;
  readonly digest: DigestText;
  readonly content: Uint8Array;
}

/** What a payload must match in a component. `slots`: of the devices that install it. */
interface Meant extends Expectation {
  readonly digest: NonNullable<Expectation["digest"]>;
  readonly slots: Set<number>;
}

const digestText = ({ digest }: Pick<Meant, "digest">) => JSON.stringify(formatDigest(digest));

/** What devices that take the release compare payloads with. Throws the refusal if no kind of device takes it. */
function meantBy(m: Manifest): Meant[] {
  const by = triedInterpreter();
  const all = new Map<string, Meant>();
  let refusal: unknown;
  let isTaken = false;
  for (const kind of deviceKinds(m)) {
    // a device that has the images fetches nothing
    if (kind.there) continue;
    const { expected, refused } = payloadsOf(by, m, kind);
    if (refused !== undefined) {
      if (!isRefusal(refused)) throw refused;
      refusal ??= refused;
      continue;
    }
    isTaken = true;
    for (const { digest, ...one } of expected) {
      if (!digest) continue;
      const name = `${one.component} ${digestText({ digest })} ${one.uri}`;
      const meant = all.get(name) ?? { ...one, digest, slots: new Set() };
      meant.slots.add(kind.slot);
      all.set(name, meant);
    }
  }
  if (!isTaken && refusal !== undefined) throw refusal;
  return [...all.values()];
}

const wordsOf = ({ component, slots, uri }: Meant): string => `component ${component}, slot ${[...slots].join(" and ")} (${visible(uri)})`;

/** The image that is asked for, and then everything else that is compared with its payload. */
function chosen(path: string, m: Manifest, { component, slot }: ImageChoice): [Meant, ...Meant[]] {
  const all = meantBy(m);
  // a trust file is taken out only if its component is named
  const isMeant = (one: Meant) =>
    component === undefined ? !isTrustComponent(m.components[one.component] ?? []) : one.component === component;
  const found = all.filter((one) => isMeant(one) && (slot === undefined || one.slots.has(slot)));
  const [first] = found;
  if (!first) {
    if (all.length === 0)
      throw refusedInput(
        "ERR_IMAGE",
        `${inputName(path)} has no image that is a payload with a digest`,
        "firmseal explain shows what devices do with it: what commands write or copy cannot be extracted",
      );
    throw usage(`${inputName(path)} has no such image`, `it has ${someOf(all.map(wordsOf))}`);
  }
  // the same bytes in another component, or from another place, are the same image
  const others = found.filter((one) => one.uri !== first.uri && digestText(one) !== digestText(first));
  if (others.length > 0)
    throw usage(
      `${inputName(path)} has several images: ${someOf([first, ...others].map(wordsOf))}`,
      "choose one: `component` N or `slot` N",
    );
  return [first, ...all.filter((one) => one !== first && one.uri === first.uri)];
}

/** Refuses bytes that are not what the manifest means. */
function refuseOtherContent(name: string, content: Uint8Array, { digest, size }: Meant): void {
  if (size !== undefined && size !== content.length)
    refusePayload("PAYLOAD_SIZE", { name }, undefined, `it has ${byteWords(content.length)}, and the manifest says ${grouped(size)}`);
  const alg = (HASH_NAMES[digest.alg] as PayloadHash).replace("-", "");
  if (!createHash(alg).update(content).digest().equals(Uint8Array.from(digest.bytes))) refusePayload("IMAGE_MISMATCH", { name });
}

/**
 * Takes an image out of a release. Its bytes are compared with every digest and size that the manifest has for them.
 *
 * @param path - Where the envelope was read: a payload outside it may be beside it.
 * @param m - The manifest, from open(). The caller checks who signed it.
 * @param choice - Which image, if there are several.
 * @returns The image.
 * @throws Failures: IMAGE if there is none, USAGE if there are several, PAYLOAD_UNCHECKED if the payload is not there,
 *   and the refusals of devices.
 */
export function imageIn(path: string, m: Manifest, choice: ImageChoice): PayloadImage {
  const meant = chosen(path, m, choice);
  const [{ uri, digest, component }] = meant;
  const inside = m.payloads.find((one) => one.uri === uri);
  const file = payloadsBeside(path, m, payloadFiles(m, choice.payload ?? [])).get(uri);
  if (!inside && file === undefined)
    throw new Failure(
      1,
      "ERR_PAYLOAD_UNCHECKED",
      `${inputName(path)}: the image is not in the envelope: devices fetch ${visible(uri)}`,
      "put it beside the envelope, or give it with `payload` FILE",
    );
  const content = inside ? Uint8Array.from(readSlice(m.input, inside.content)) : readAll(file as string, LIMITS.image);
  const name = inside ? visible(uri) : `${visible(uri)} (${visible(file as string)})`;
  for (const one of meant) refuseOtherContent(name, content, one);
  return { component, uri, digest: formatDigest(digest), content };
}

// Descriptions of the updates that most products need, from a few facts.

import { toHex } from "@firmseal/verifier/tools";
import { HASHES } from "../alg/hash.js";
import { type BytesValue, type Command, type Description, type HashName, SCHEMA } from "./manifest.js";
import { formatUuid, identityUuids } from "./uuid.js";

/** One image for one component, the most common case. */
export interface SingleImage {
  sequence: number | string;
  /** Domain or UUID of the vendor. */
  vendor: string;
  /** Name of the class (which needs the domain of the vendor), or its UUID. */
  class: string;
  /** Digest of the image in hexadecimal, by `hash`, and its size in bytes. */
  digest: string;
  size: number;
  /** The URI of the image. "#…" names a payload of the envelope. */
  uri: string;
  /** The image itself, if the envelope carries it under `uri`. */
  payload?: BytesValue;
  /** Component identifier. Default: [h'00']. */
  component?: readonly BytesValue[];
  text?: Description["text"];
  /** Algorithm of the digests of the image and of the manifest. Default: sha-256. */
  hash?: HashName;
}

/**
 * Describes a release of one image. The device checks vendor and class, fetches the image and compares its digest. It
 * compares the digest again before the image becomes current, and at every start before the image runs.
 *
 * @param facts - The number, the devices and the image.
 * @returns The description, for encode().
 * @example
 * ```ts
 * import { createHash } from "node:crypto";
 * import { encode, singleImage } from "@firmseal/signer";
 *
 * const description = singleImage({
 *   sequence: 7,
 *   vendor: "example.com",
 *   class: "board-v2",
 *   digest: createHash("sha256").update(image).digest("hex"),
 *   size: image.length,
 *   uri: "#firmware",
 *   payload: image,
 * });
 * const unsigned = encode(description);
 * ```
 */
export function singleImage(facts: SingleImage): Description {
  const id = identityUuids(facts.vendor, facts.class);
  const description: Description = {
    $schema: SCHEMA,
    sequence: facts.sequence,
    components: [facts.component ?? [{ hex: "00" }]],
    "shared-sequence": [
      {
        "directive-override-parameters": {
          "vendor-identifier": formatUuid(id.vendor),
          "class-identifier": formatUuid(id.class),
          "image-digest": { algorithm: facts.hash ?? "sha-256", hex: facts.digest },
          "image-size": facts.size,
        },
      },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ],
    validate: ["condition-image-match"],
    invoke: ["directive-invoke"],
    install: [{ "directive-override-parameters": { uri: facts.uri } }, "directive-fetch", "condition-image-match"],
  };
  if (facts.payload !== undefined) description.payloads = { [facts.uri]: facts.payload };
  if (facts.text) description.text = facts.text;
  if (facts.hash) description.digest = facts.hash;
  return description;
}

/** The URI of a trust file in an envelope. */
export const TRUST_URI = "#trust";
/** The component identifier of a trust file: one segment, this text. */
export const TRUST_COMPONENT_NAME = "trust";

/** The image of a bridge release: the members of SingleImage that describe an image. */
export type BridgeImage = Pick<SingleImage, "digest" | "size" | "uri" | "payload" | "component">;

/** A release that moves devices to their next trust file. */
export interface Bridge {
  sequence: number | string;
  vendor: string;
  class: string;
  /** The bytes of the next trust file. */
  trust: Uint8Array;
  /** The image that devices run afterwards. Without it, the release contains only the trust file. */
  image?: BridgeImage;
}

/**
 * Describes a bridge release: it carries the next trust file as the component "trust", beside the image. A device does
 * not fetch an image that it already has, so a bridge release may name the current image. Keys of both trust files must
 * sign it: see docs/guides/rotation.md.
 *
 * @param facts - The number, the devices, the trust file and the image.
 * @returns The description, for encode().
 */
export function bridge({ sequence, vendor, class: name, trust, image }: Bridge): Description {
  const id = identityUuids(vendor, name);
  const at = image ? 1 : 0;
  const content = (digest: string, size: number): Command => ({
    "directive-override-parameters": { "image-digest": { algorithm: "sha-256", hex: digest }, "image-size": size },
  });
  const only = (index: number): Command => ({ "directive-set-component-index": index });
  const fetch = (uri: string): Command[] => [{ "directive-override-parameters": { uri } }, "directive-fetch", "condition-image-match"];
  return {
    $schema: SCHEMA,
    sequence,
    components: [...(image ? [image.component ?? [{ hex: "00" }]] : []), [TRUST_COMPONENT_NAME]],
    "shared-sequence": [
      { "directive-set-component-index": true },
      { "directive-override-parameters": { "vendor-identifier": formatUuid(id.vendor), "class-identifier": formatUuid(id.class) } },
      "condition-vendor-identifier",
      "condition-class-identifier",
      ...(image ? [only(0), content(image.digest, image.size)] : []),
      only(at),
      content(toHex(HASHES["sha-256"].hash(trust)), trust.length),
    ],
    validate: [{ "directive-set-component-index": true }, "condition-image-match"],
    ...(image && { invoke: [only(0), "directive-invoke"] }),
    install: [
      ...(image ? [only(0), { "directive-try-each": [["condition-image-match"], fetch(image.uri)] } satisfies Command] : []),
      only(at),
      ...fetch(TRUST_URI),
    ],
    payloads: { [TRUST_URI]: trust, ...(image?.payload !== undefined && { [image.uri]: image.payload }) },
  };
}

// Descriptions of the updates that most products need, made from a few facts.

import { toHex } from "../bytes.js";
import { HASHES } from "../hash.js";
import { type BytesValue, type Command, type Description, SCHEMA } from "./manifest.js";
import { formatUuid, identityUuids } from "./uuid.js";

/** One image for one component: the common case. */
export interface SingleImage {
  sequence: number | string;
  /** Domain of the vendor, or its UUID. */
  vendor: string;
  /** Name of the class below the vendor's domain, or its UUID. */
  class: string;
  /** Digest (hexadecimal SHA-256) and size in bytes of the image. */
  digest: string;
  size: number;
  /** Where the image is fetched from; "#…" for a payload of the envelope. */
  uri: string;
  /** The image itself, to travel in the envelope under `uri`. */
  payload?: BytesValue;
  /** Component identifier; [h'00'] where it is left out. */
  component?: readonly BytesValue[];
  text?: Description["text"];
}

/**
 * The device checks vendor and class, fetches the image, compares its digest, compares it again before it becomes current, and at every
 * start before it runs.
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
          "image-digest": { algorithm: "sha-256", hex: facts.digest },
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
  return description;
}

/** The URI under which a trust file travels in an envelope, and the component that it is for. */
const TRUST_URI = "#trust";
const TRUST_COMPONENT_NAME = ["trust"];

/** The image of a bridge: the members of SingleImage that are about it. */
export type BridgeImage = Pick<SingleImage, "digest" | "size" | "uri" | "payload" | "component">;

/** A release that moves devices to their next trust file. */
export interface Bridge {
  sequence: number | string;
  vendor: string;
  class: string;
  /** The trust file. */
  trust: Uint8Array;
  /** The image that devices are to run; left out, the release holds nothing but the trust file. */
  image?: BridgeImage;
}

/**
 * A release that carries the next trust file as the component "trust", beside the image. An image that is there already is not fetched again, so a
 * bridge may name the one that devices run. The keys of both trust files have to sign it: docs/guides/rotation.md.
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
    components: [...(image ? [image.component ?? [{ hex: "00" }]] : []), TRUST_COMPONENT_NAME],
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

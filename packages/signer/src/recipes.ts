// Descriptions of the updates that most products need, made from a few facts.

import { type BytesValue, type Description, SCHEMA } from "./manifest.js";
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

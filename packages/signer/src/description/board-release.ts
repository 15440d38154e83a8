// The description of a release for one kind of board: one or several components, images for one slot or the other, and
// one class for each hardware revision.

import { toHex } from "@firmseal/verifier/tools";
import { HASHES } from "../alg/hash.js";
import { type BytesValue, type Command, type Description, type HashName, type Parameters, SCHEMA } from "./manifest.js";
import { type SingleImage, singleImage, TRUST_COMPONENT_NAME, TRUST_URI } from "./recipes.js";
import { formatUuid, identityUuids } from "./uuid.js";

/** An image: its digest in hexadecimal, its size in bytes, and its URI ("#…" for a payload of the envelope). */
export type PlacedImage = Pick<SingleImage, "digest" | "size" | "uri" | "payload">;

/** What a component gets. */
export interface BoardComponent {
  /** Component identifier. Default: [h'00']. */
  component?: readonly BytesValue[];
  /** One image, or two: for slot 0 and for slot 1. */
  images: readonly [PlacedImage] | readonly [PlacedImage, PlacedImage];
}

/** A release for one board, from which boardRelease() makes a description. */
export interface BoardRelease {
  /** The sequence number, up to 64 bits; above 2^53 - 1 as a decimal string. */
  sequence: number | string;
  /** Domain or UUID of the vendor. */
  vendor: string;
  /** Names (which need the domain of the vendor) or UUIDs of the classes, at least one. */
  classes: readonly string[];
  /** The components, at least one. The device starts the first. */
  components: readonly BoardComponent[];
  /** A trust file, or a chain of them: devices that have an earlier one take it as the last component. */
  trust?: Uint8Array;
  /** The text of the manifest, for people. */
  text?: Description["text"];
  /** Algorithm of the digests of the images and of the manifest. Default: sha-256. */
  hash?: HashName;
}

const override = (parameters: Parameters): Command => ({ "directive-override-parameters": parameters });
const only = (index: number): Command => ({ "directive-set-component-index": index });

/** The device must be of the vendor, and of one of the classes. */
function identity({ vendor, classes }: BoardRelease): Command[] {
  const ids = classes.map((name) => identityUuids(vendor, name));
  const vendorId = formatUuid((ids[0] as (typeof ids)[number]).vendor);
  const isClass = (id: Uint8Array): Command[] => [override({ "class-identifier": formatUuid(id) }), "condition-class-identifier"];
  const alternatives = ids.map((id) => isClass(id.class));
  return [
    override({ "vendor-identifier": vendorId }),
    "condition-vendor-identifier",
    ...(alternatives.length === 1 ? (alternatives[0] as Command[]) : [{ "directive-try-each": alternatives } satisfies Command]),
  ];
}

/** Sets parameters: the same for both slots, or those of the slot that the device uses. */
function bySlot({ images }: BoardComponent, of: (image: PlacedImage) => Parameters): Command[] {
  if (images.length === 1) return [override(of(images[0]))];
  return [
    {
      "directive-try-each": images.map((image, slot) => [
        override({ "component-slot": slot }),
        "condition-component-slot",
        override(of(image)),
      ]),
    },
  ];
}

const trustFile = (trust: Uint8Array, hash: HashName = "sha-256"): BoardComponent => ({
  component: [TRUST_COMPONENT_NAME],
  images: [{ digest: toHex(HASHES[hash].hash(trust)), size: trust.length, uri: TRUST_URI, payload: trust }],
});

/**
 * Describes a release for one kind of board. The device checks vendor and class, fetches the image of each component,
 * for the slot that it installs to, and compares its digest: then, before the image becomes current, and at every
 * start.
 *
 * @param facts - The number, the devices and the images.
 * @returns The description, for encode().
 */
export function boardRelease(facts: BoardRelease): Description {
  const { sequence, vendor, classes, trust, text, hash } = facts;
  const components = trust ? [...facts.components, trustFile(trust, hash)] : facts.components;
  const [first] = components as readonly [BoardComponent];
  // the same bytes as those of `firmseal sign`
  if (components.length === 1 && classes.length === 1 && first.images.length === 1)
    return singleImage({
      sequence,
      vendor,
      class: classes[0] as string,
      ...first.images[0],
      ...(first.component && { component: first.component }),
      ...(text && { text }),
      ...(hash && { hash }),
    });
  const all: Command = { "directive-set-component-index": true };
  const payloads = components.flatMap(({ images }) =>
    images.flatMap(({ uri, payload }) => (payload === undefined ? [] : [[uri, payload] as const])),
  );
  return {
    $schema: SCHEMA,
    sequence,
    components: components.map(({ component }) => component ?? [{ hex: "00" }]),
    "shared-sequence": [
      all,
      ...identity(facts),
      ...components.flatMap((one, i) => [
        only(i),
        ...bySlot(one, ({ digest, size }) => ({ "image-digest": { algorithm: hash ?? "sha-256", hex: digest }, "image-size": size })),
      ]),
    ],
    validate: [all, "condition-image-match"],
    invoke: [only(0), "directive-invoke"],
    install: components.flatMap((one, i) => [
      only(i),
      ...bySlot(one, ({ uri }) => ({ uri })),
      "directive-fetch" as const,
      "condition-image-match" as const,
    ]),
    ...(payloads.length > 0 && { payloads: Object.fromEntries(payloads) }),
    ...(text && { text }),
    ...(hash && { digest: hash }),
  };
}

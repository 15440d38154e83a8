// Generates a release to install before the update, if none is given: for the same device and components, with random
// images. Its keys are generated for it, exist in this process only, and are trusted by the simulated device only.

import { createHash, randomBytes } from "node:crypto";
import {
  type Command,
  DEFAULT_ALG,
  type Description,
  encode,
  privateKey,
  SCHEMA,
  signEnvelopeWithoutLog,
  signer,
  singleImage,
} from "@firmseal/signer";
import { anchor, type ComponentId, type Identity } from "@firmseal/verifier";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import type { Release } from "./simulation/start-install.js";

/** The size of the first image; odd, so that it does not end on a page or word border. */
export const PREVIOUS_SIZE = 6001;

/** The preceding sequence number. */
function before(sequence: readonly [number, number]): string {
  const [high, low] = sequence;
  return formatSequence(low > 0 ? [high, low - 1] : high > 0 ? [high - 1, 0xffffffff] : [0, 0]);
}

const uuid = (bytes: ArrayLike<number> | undefined) => toHex(bytes ?? []).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

function oneImage(sequence: string, { vendor, class: name }: Identity, component: ComponentId, image: Uint8Array): Description {
  return singleImage({
    sequence,
    vendor: uuid(vendor[0]),
    class: uuid(name[0]),
    digest: createHash("sha256").update(image).digest("hex"),
    size: image.length,
    uri: "#firmware",
    payload: image,
    component: component.map((part) => ({ hex: toHex(part) })),
  });
}

function description(sequence: string, identity: Identity, components: readonly ComponentId[], size: number): Description {
  const images = components.map((_, i) => new Uint8Array(randomBytes(Math.max(1, size - i))));
  const [image] = images;
  // the form that a micro verifier accepts
  if (image && components.length === 1) return oneImage(sequence, identity, components[0] as ComponentId, image);
  const at = (i: number): Command => ({ "directive-set-component-index": i });
  const shared: Command[] = images.flatMap((image, i) => [
    at(i),
    {
      "directive-override-parameters": {
        "vendor-identifier": uuid(identity.vendor[0]),
        "class-identifier": uuid(identity.class[0]),
        "image-digest": { hex: createHash("sha256").update(image).digest("hex") },
        "image-size": image.length,
      },
    },
    "condition-vendor-identifier",
    "condition-class-identifier",
  ]);
  const each = (commands: (i: number) => Command[]) => images.flatMap((_, i) => [at(i), ...commands(i)]);
  return {
    $schema: SCHEMA,
    sequence,
    components: components.map((id) => id.map((part) => ({ hex: toHex(part) }))),
    "shared-sequence": shared,
    install: each((i) => [{ "directive-override-parameters": { uri: `#made-up-${i}` } }, "directive-fetch", "condition-image-match"]),
    validate: each(() => ["condition-image-match"]),
    invoke: [at(0), "directive-invoke"],
    payloads: Object.fromEntries(images.map((image, i) => [`#made-up-${i}`, image])),
  };
}

/**
 * Generates a release that comes before another, signed by new keys.
 *
 * @param sequence - The number of the other release: the high and the low 32 bits. This one is 1 less.
 * @param identity - The device that it is for.
 * @param components - Its components.
 * @param size - Most bytes of each image.
 * @param threshold - How many keys sign.
 * @returns The release.
 * @throws RangeError if the vendor is a private enterprise number, which descriptions cannot express.
 */
export async function previousRelease(
  sequence: readonly [number, number],
  identity: Identity,
  components: readonly ComponentId[],
  size: number,
  threshold: number,
): Promise<Release> {
  if (identity.vendor[0]?.length !== 16) throw new RangeError("no release can be generated for a vendor that is named by a number");
  const keys = Array.from({ length: threshold }, () => privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32))));
  const unsigned = encode(description(before(sequence), identity, components, size));
  return {
    envelope: await signEnvelopeWithoutLog(unsigned, keys.map(signer)),
    trust: { anchors: keys.map((key) => anchor(DEFAULT_ALG, key.key)), threshold },
    payloads: new Map(),
  };
}

// A release to be there before the update, where none is given: made up, for the same device and components, with images of no meaning. It
// is signed by keys that are made for it, that exist in this process only, and that are trusted by the simulated device only.

import { createHash, randomBytes } from "node:crypto";
import { type Command, DEFAULT_ALG, type Description, encode, privateKey, SCHEMA, signEnvelope, signer, toHex } from "@firmseal/signer";
import { anchor, type ComponentId, type Identity } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import type { Release } from "./engine.js";

/** Bytes of the first image; odd, so that its end is not that of a page or a word. */
export const PREVIOUS_SIZE = 6001;

/** The sequence number before another one. */
function before(sequence: readonly [number, number]): string {
  const [high, low] = sequence;
  return formatSequence(low > 0 ? [high, low - 1] : high > 0 ? [high - 1, 0xffffffff] : [0, 0]);
}

function description(sequence: string, identity: Identity, components: readonly ComponentId[], size: number): Description {
  const images = components.map((_, i) => new Uint8Array(randomBytes(Math.max(1, size - i))));
  const at = (i: number): Command => ({ "directive-set-component-index": i });
  const uuid = (bytes: ArrayLike<number> | undefined) => toHex(bytes ?? []).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
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
 * A release with the sequence number before `sequence`, signed by `threshold` keys of its own, with images of at most `size` bytes. Throws a RangeError
 * for a vendor that is named by a number: no description can name one.
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
    envelope: await signEnvelope(unsigned, keys.map(signer)),
    trust: { anchors: keys.map((key) => anchor(DEFAULT_ALG, key.key)), threshold },
    payloads: new Map(),
  };
}

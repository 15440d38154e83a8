// Devices and keys, made up.

import fc from "fast-check";
import type { Key } from "./belief.js";
import type { Me } from "./interpreter.js";
import { CLASSES, DEVICES, HUGE, IDS, mostly, NEW, NEXT, OLD, some, VENDORS } from "./sequences.js";

/** What a device is: of one kind mostly, of two, of none, of another. */
export const me: fc.Arbitrary<Me> = fc.record({
  vendor: mostly(8, [VENDORS[0]], [VENDORS[1]], [VENDORS[0], VENDORS[2]], []) as fc.Arbitrary<string[]>,
  class: mostly(6, [CLASSES[0]], [CLASSES[1]], [CLASSES[0], CLASSES[1]], [CLASSES[2]], []) as fc.Arbitrary<string[]>,
  device: mostly(4, [DEVICES[0]], [], [DEVICES[1]]) as fc.Arbitrary<string[]>,
});

/** A device before an installation or a start: what each component holds, in which slot, and what is available from outside. */
export interface World {
  me: Me;
  current: string[];
  slots: number[];
  floor: bigint;
  /** Of which manifest the device has the floor, as far as it knows. */
  had: "this" | "another" | "unknown";
  payloads: { [uri: string]: string };
  /** The component whose storage does not hold what was written: see rotten(). */
  rots?: string | undefined;
}

/** What such storage holds after a write of `content`, in hexadecimal: the lowest bit of the first byte is another one. */
export const rotten = (content: string): string =>
  content && (Number.parseInt(content.slice(0, 2), 16) ^ 1).toString(16).padStart(2, "0") + content.slice(2);

/** A device that is of two classes at once. */
export const ofTwo: Me = { vendor: [VENDORS[0] as string], class: CLASSES.slice(0, 2), device: [] };

export const world: fc.Arbitrary<World> = fc.record({
  me,
  current: fc.oneof(fc.constant<string[]>([NEW, NEW, NEW]), fc.array(mostly(2, OLD, NEW, ""), { minLength: 3, maxLength: 3 })),
  slots: fc.tuple(...IDS.map(() => mostly(3, 0, 1))),
  floor: mostly(8, 5n, 7n, 8n, 0n),
  had: mostly(2, "this", "another", "unknown") as fc.Arbitrary<World["had"]>,
  payloads: some({ "#a": NEW, "#b": NEW, "c:c": NEW }, { "c:c": NEW }, { "#a": NEXT, "#b": NEW, "c:c": "", "d:d": HUGE }),
  rots: mostly(8, undefined, ...IDS),
});

type Scope = Omit<Key, "key">;
const scope = some<Scope>(
  { class: CLASSES[0] as string },
  { class: CLASSES[1] as string },
  { vendor: VENDORS[0] as string },
  { vendor: VENDORS[0] as string, class: CLASSES[0] as string },
);

/** Keys of a trust file, who of them signed, and how many must have. */
export const keys = fc
  .record({
    scopes: fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant<Scope>({}) }, { weight: 3, arbitrary: scope }), {
      minLength: 1,
      maxLength: 2,
    }),
    two: fc.boolean(),
    threshold: mostly(5, 1, 2),
  })
  .chain(({ scopes, two, threshold }) => {
    const listed = scopes.map((scope, i): Key => ({ key: i === 0 ? "b" : "p", ...scope }));
    const signed = fc.subarray(listed, { minLength: 1, maxLength: two ? listed.length : 1 });
    return fc.record({ listed: fc.constant(listed), signed, threshold: fc.constant(Math.min(threshold, listed.length)) });
  });

// What a device must find out before it erases anything. Chance makes these up too seldom.

import { expect, it } from "vitest";
import { MAC_KEY } from "../../../../test-vectors/src/pieces/assemble.js";
import { anchor } from "../../src/index.js";
import { INVOKE_MISPLACED, PAYLOAD_SIZE, SLOT_MISMATCH } from "../../src/spec/errors.generated.js";
import { MAN_INSTALL, MAN_LOAD } from "../../src/spec/suit.js";
import { Device } from "./device.js";
import { encoded } from "./encode.js";
import type { Command, Manifest } from "./manifest.js";
import { courseOf } from "./play.js";
import { CLASSES, NEW, OLD, VENDORS } from "./sequences.js";
import { ofTwo, type World } from "./world.js";

const set = (p: Extract<Command, { do: "override" }>["set"]): Command => ({ do: "override", set: p });
const identity: Command[] = [set({ vendor: VENDORS[0] as string, class: CLASSES[0] as string }), { do: "vendor" }, { do: "class" }];
const unless = (otherwise: Command[]): Command => ({ do: "try", of: [[{ do: "image" }], otherwise], nil: false });

it.each<[string, Command[], number]>([
  ["an invoke", [{ do: "invoke" }], INVOKE_MISPLACED],
  ["an invoke where no image fits", [unless([{ do: "invoke" }])], INVOKE_MISPLACED],
  ["an image that is too large where no image fits", [unless([set({ size: 2 ** 32 }), { do: "fetch" }])], PAYLOAD_SIZE],
])("refuses %s before it erases anything", async (_, then, code) => {
  const fetched: Command[] = [...identity, set({ uri: "#a", digest: { alg: -16, of: NEW } }), { do: "fetch" }];
  const m: Manifest = {
    sequence: 7n,
    components: ["00"],
    sections: { [MAN_INSTALL]: [...fetched, ...then] },
    severed: [],
    absent: [],
    payloads: { "#a": NEW },
  };
  const w: World = { me: ofTwo, current: [OLD, OLD, OLD], slots: [0, 0, 0], floor: 0n, had: "unknown", payloads: {} };
  const mac = { anchors: [anchor("hmac256", Uint8Array.from(MAC_KEY))] };
  const { others: _others, ...real } = courseOf(await encoded(m), mac, w, true);
  expect(real).toEqual({ ...new Device(m, w, true).outcome(), codes: [code] });
  expect(real.erased).toEqual([]);
});

// the start fetches, so the installation opens the kept release again, and plays its start before it becomes current
it.each([
  ["the slot that stays current", [0, 0], 0, []],
  ["the other slot that stays current", [1, 0], 1, []],
  ["the slot that is not current", [0, 0], 1, [SLOT_MISMATCH]],
  ["a slot that no component has", [0, 0], 2, [SLOT_MISMATCH]],
])("a start of the kept release that asks whether a component that is not written is in %s", async (_, slots, slot, codes) => {
  const payload = { uri: "#a", digest: { alg: -16, of: NEW } };
  const m: Manifest = {
    sequence: 7n,
    components: ["00", "01"],
    shared: [{ do: "index", to: 0 }, ...identity],
    sections: {
      [MAN_INSTALL]: [{ do: "index", to: 1 }, set(payload), { do: "fetch" }],
      [MAN_LOAD]: [{ do: "index", to: 0 }, set({ slot }), { do: "slot" }, { do: "index", to: 1 }, set(payload), { do: "fetch" }],
    },
    severed: [],
    absent: [],
    payloads: { "#a": NEW },
  };
  const w: World = { me: ofTwo, current: [OLD, OLD, OLD], slots: [...slots, 0], floor: 0n, had: "unknown", payloads: {} };
  const mac = { anchors: [anchor("hmac256", Uint8Array.from(MAC_KEY))] };
  const real = courseOf(await encoded(m), mac, w, true);
  expect(real.codes).toEqual(codes);
  expect(new Device(m, w, true).outcome().codes).toEqual(codes);
});

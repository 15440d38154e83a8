// Answers and nonces that nobody wrote: whatever is in them, no row changes but those of devices that have answered, and what is refused is refused
// in one line.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "@firmseal/keys";
import { type Device, hmac256, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { LONG, OF_SOME } from "../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { key, trustFileOf } from "../../test-support/src/rotation-world.js";
import { fleetDevices } from "../src/rotation/fleet-rows.js";
import { type Collection, collectStatuses } from "../src/status/collect.js";

const folder = temporaryFolder("firmseal-status-");
const at = (name: string) => join(folder, name);

const NONCE = "00112233445566778899aabbccddeeff";
const secret = new Uint8Array(32).fill(7);
const kid = new TextEncoder().encode("serial-1");
const anchors = [{ alg: hmac256, key: secret, kid }];
const row = { name: "serial-1", vendor: "example.com", class: "b", floor: 0 };
const other = { name: "serial-2", vendor: "example.com", class: "b", floor: 5, trust: "t.trust" };
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const sent = { device: "serial-1", nonce: NONCE, sent: "2026-01-01T00:00:00Z" };

let genuine: Uint8Array;
beforeAll(async () => {
  writeFileSync(at("t.trust"), await trustFileOf(1, { releases: [key("A"), key("B")], roots: [key("R1"), key("R2")] }));
  writeFileSync(at("A.jwk"), JSON.stringify({ kty: "OKP", crv: "Ed25519", x: Buffer.from(key("A").key).toString("base64url") }));
  writeFileSync(at("fleet.jsonl"), line({ ...row, keys: ["A.jwk"] }) + line(other));
  const device = memoryDevice({ vendor: [], class: [] }, [], 0) as Device;
  genuine = Uint8Array.from(status(Buffer.from(NONCE, "hex"), device, null, null, macAttester(secret, kid)));
});

/** Undefined for a file that is refused as a whole. */
async function collected(answers: string | Uint8Array, nonces: string | Uint8Array = line(sent)): Promise<Collection | undefined> {
  writeFileSync(at("answers"), answers);
  writeFileSync(at("sent"), nonces);
  try {
    const given = { fleet: at("fleet.jsonl"), out: at("new.jsonl"), nonces: at("sent"), anchors, frozenAfter: 7 };
    return await collectStatuses([at("answers")], given);
  } catch (e) {
    if (!(e instanceof Failure)) throw e;
    expect(e.message.length).toBeLessThanOrEqual(2000);
    expect(e.hint).not.toBe("");
    return undefined;
  }
}

/** The rows, of which the second nobody can answer for; and the file is one that is read again. */
function rowsOf({ text }: Collection) {
  const rows = text
    .trim()
    .split("\n")
    .map((one) => JSON.parse(one));
  writeFileSync(at("again.jsonl"), text);
  expect(fleetDevices(at("again.jsonl"))).toEqual(["serial-1", "serial-2"]);
  expect(rows[1]).toEqual(other);
  return rows;
}

const base64 = (bytes: Uint8Array) => ({ status: Buffer.from(bytes).toString("base64") });
const RUNS = { numRuns: LONG ? 100 : 25 };

it(`a status with any bit flipped changes nothing${OF_SOME}`, async () => {
  const [good] = rowsOf((await collected(line(base64(genuine)))) as Collection);
  expect(good).toEqual({ ...row, keys: ["A.jwk"], seen: sent.sent, since: sent.sent });
  let heard = 0;
  for (let i = 0; i < genuine.length; i += LONG ? 1 : 3)
    for (const bit of [1, 128]) {
      const changed = Uint8Array.from(genuine);
      changed[i] = (changed[i] as number) ^ bit;
      heard += (await collected(line(base64(changed))))?.heard ?? 0;
    }
  for (let n = 0; n < genuine.length; n += LONG ? 1 : 3) heard += (await collected(line(base64(genuine.subarray(0, n)))))?.heard ?? 0;
  heard += (await collected(line(base64(Uint8Array.of(...genuine, 0)))))?.heard ?? 0;
  expect(heard).toBe(0);
});

it("lines of any kind, with a good one among them", async () => {
  const bad = fc.oneof(
    fc.json(),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => JSON.stringify(base64(bytes))),
    fc.constantFrom('{"status":"0YQ"}', '{"status":"","status":"AA"}', '{"__proto__":{"status":"AA"}}', "[]", "null", '{"status":["AA"]}'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bad, { maxLength: 6 }), fc.nat(6), async (lines, place) => {
      const all = [...lines];
      all.splice(place, 0, JSON.stringify(base64(genuine)));
      const found = (await collected(all.map((one) => `${one}\n`).join(""))) as Collection;
      expect([found.heard, found.refused.length]).toEqual([1, lines.length]);
      rowsOf(found);
    }),
    RUNS,
  );
});

it("nonces of any kind", async () => {
  const member = fc.oneof(
    fc.constantFrom<unknown>(
      "serial-1",
      NONCE,
      "00",
      "2026-01-01T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "",
      1,
      null,
      [],
      "\u0000",
      "__proto__",
    ),
    fc.string({ maxLength: 8 }),
  );
  const entry = fc.oneof(fc.record({ device: member, nonce: member, sent: member }), fc.dictionary(fc.string({ maxLength: 6 }), member));
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 3 }), async (entries) => {
      const found = await collected(line(base64(genuine)), entries.map(line).join(""));
      if (found) rowsOf(found);
    }),
    RUNS,
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, isNonces) => {
      const found = isNonces ? await collected(line(base64(genuine)), bytes) : await collected(bytes);
      expect(found?.heard ?? 0).toBe(0);
    }),
    RUNS,
  );
});

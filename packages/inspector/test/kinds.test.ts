// A release can hide a kind of device, or what it does, among thousands of commands. The verdict is about all of them.

import { encode, publicKey, SCHEMA, signEnvelopeWithoutLog, signer, toCose } from "@firmseal/signer";
import { DEVICES } from "@firmseal/simulator";
import { expect, it } from "vitest";
import { keyA } from "../../test-support/src/command-line/run.js";
import type { DeskVerdict } from "../src/protocol.js";
import { TEXTS } from "../src/texts.js";
import { Desk } from "../src/worker/open-files.js";
import { deskVerdict } from "../src/worker/verdict/verdict.js";

const uuid = (n: number) => `cfbff0d1-9375-5685-968c-${n.toString(16).padStart(12, "0")}`;

/** What one class of devices fetches. */
const forClass = (n: number, uri: string, before: readonly unknown[] = []) => [
  { "directive-override-parameters": { "vendor-identifier": uuid(0), "class-identifier": uuid(n), uri } },
  "condition-vendor-identifier",
  "condition-class-identifier",
  ...before,
  { "directive-override-parameters": { "image-digest": { hex: "00".repeat(32) }, "image-size": 3 } },
  "directive-fetch",
  "condition-image-match",
];

const blob = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);

async function verdict(install: unknown[]): Promise<DeskVerdict> {
  const description = { $schema: SCHEMA, sequence: 3, components: [[{ hex: "00" }]], install };
  const envelope = await signEnvelopeWithoutLog(encode(description as never), [signer(keyA)]);
  const desk = new Desk();
  await desk.open(blob(envelope), "fw.suit", () => {});
  await desk.open(blob(toCose(publicKey(keyA.alg, signer(keyA).publicKey))), "A.cose", () => {});
  return deskVerdict(desk, 1, undefined, () => {});
}

const payloads = ({ release }: DeskVerdict) => release?.verified.payloads.map(({ uri }) => uri);
const nothing = (n: number) => Array.from({ length: n }, () => ({ "directive-override-parameters": { uri: "." } }));

it("shows what is done by a class that is named after more commands than the tree shows", async () => {
  const hidden = [...nothing(600), ...forClass(2, "https://b/")];
  const found = await verdict([{ "directive-try-each": [forClass(1, "https://a/"), hidden] }]);
  expect([found.state, payloads(found)]).toEqual(["good", ["https://a/", "https://b/"]]);
});

it("shows what the last of 140 classes does", async () => {
  const all = Array.from({ length: 140 }, (_, i) => forClass(i, i === 139 ? "https://b/" : "https://a/"));
  const found = await verdict([{ "directive-try-each": all }]);
  expect([found.state, payloads(found)]).toEqual(["good", ["https://a/", "https://b/"]]);
});

it("says that a release with too many kinds of device was not tried", async () => {
  const all = Array.from({ length: 129 }, (_, i) => forClass(i, "https://a/"));
  const found = await verdict([{ "directive-override-parameters": { "vendor-identifier": uuid(1) } }, { "directive-try-each": all }]);
  expect(found).toMatchObject({ state: "unknown", words: expect.stringContaining("258 kinds of device") });
  expect(found.release).toBeUndefined();
});

it("says that a release whose kinds multiply its commands was not tried", async () => {
  const names = Array.from({ length: 255 }, (_, i) => ({ "directive-override-parameters": { "class-identifier": uuid(i) } }));
  const many = Array.from({ length: 6000 }, () => ({ "directive-set-component-index": 0 }));
  const found = await verdict([...names, ...many, ...forClass(1, "https://a/")]);
  expect(found).toMatchObject({ state: "unknown", words: expect.stringContaining("524,288 commands") });
});

it.each(["", "\n", "\r\n"])("takes a key in hex, with an end of line or without: %j", async (end) => {
  const key = signer(keyA).publicKey;
  const opened = await new Desk().open(new Blob([`${Buffer.from(key).toString("hex")}${end}`]), "key.txt", () => {});
  expect(opened.kind).toBe("key");
});

it("offers only devices that the simulator has", () => {
  expect(Object.keys(DEVICES)).toEqual(expect.arrayContaining(Object.keys(TEXTS.models)));
});

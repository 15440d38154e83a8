// Releases for the tests of lint.

import { createHash } from "node:crypto";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { expect } from "vitest";
import { image, type Place, signImage } from "../../../test-support/src/command-line/run.js";

export const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";

export const CLASSES = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "14399a69-1d48-5c86-90d6-82564bf630a2"] as const;

export const PRODUCT = `name = "gateway"
vendor = "example.com"

[keys]
release = "A.pem"

[sequence]
source = "given"

[boards.main]
class = "board-v2"
image = "fw.bin"
slots = { a = 8192, b = 8192 }
`;

export const override = (parameters: object) => ({ "directive-override-parameters": parameters });

export const identity = (classId: string = CLASSES[0]) => [
  override({ "vendor-identifier": VENDOR, "class-identifier": classId }),
  "condition-vendor-identifier",
  "condition-class-identifier",
];

export const fetched = (uri: string) => [override({ uri, image: { payload: uri } }), "directive-fetch", "condition-image-match"];

export interface Described {
  shared?: unknown[];
  install: unknown[];
  [member: string]: unknown;
}

/** An unsigned release; its payloads are their own names. */
export async function described(p: Place, name: string, { shared = identity(), install, ...more }: Described): Promise<string> {
  const uris = [...new Set(JSON.stringify([shared, install]).match(/#[a-z0-9]+/g) ?? [])];
  const payloads = Object.fromEntries(uris.map((uri) => [uri, uri]));
  const all = {
    $schema: "urn:firmseal:manifest:1",
    sequence: 3,
    components: [[{ hex: "00" }]],
    "shared-sequence": shared,
    install,
    ...more,
  };
  p.put(`${name}.json`, JSON.stringify({ ...all, ...(uris.length > 0 && { payloads }) }));
  await p.ok(["create", "--from", `${name}.json`]);
  return `${name}.suit`;
}

export async function signed(p: Place, seq: number | string, out = "fw.suit", more: readonly string[] = []): Promise<string> {
  await signImage(p, seq, out, more);
  return out;
}

/** An image for MCUboot. */
export function mcubootImage(major: number, minor: number, patch: number): Uint8Array {
  const out = image(600);
  const view = new DataView(out.buffer);
  out.fill(0, 0, 32);
  view.setUint32(0, 0x96f3b83d, true);
  view.setUint16(8, 32, true);
  out.set([major, minor, patch], 20);
  return out;
}

export const product = (p: Place, more = "") => p.put("firmseal.toml", PRODUCT + more);

export interface Found {
  findings: { rule: string; name: string; severity: string; message: string; path: string; waived?: { reason: string } }[];
  skipped: { name: string; why: string }[];
}

export async function linted(p: Place, args: readonly string[]): Promise<Found & { exit: number | null }> {
  const r = await p.run(["lint", ...args, "--json"]);
  expect(r.json, args.join(" ")).toMatchObject({ verified: false });
  return { ...(r.json as unknown as Found), exit: r.exit };
}

/** An envelope whose manifest has `to` in place of `from`, which is as long, and the digest that goes with it. */
export function changedManifest(envelope: Uint8Array, from: string, to: string): Uint8Array {
  const out = Buffer.from(envelope);
  const { manifestElement } = decodeEnvelope(envelope).envelope;
  const manifest = out.subarray(manifestElement.whole.at, manifestElement.whole.at + manifestElement.whole.n);
  const before = createHash("sha256").update(manifest).digest();
  manifest.write(to, manifest.indexOf(from), "latin1");
  createHash("sha256").update(manifest).digest().copy(out, out.indexOf(before));
  return out;
}

/** An envelope with these headers, in hex, of its only signature, by Ed25519. The protected one: at most 23 bytes. */
export function withHeaders(envelope: Uint8Array, unprotected: string, inside = "a10132"): Uint8Array {
  const out = Buffer.from(envelope);
  const block = Buffer.from("584ad28443a10132a0f65840", "hex");
  const at = out.indexOf(block);
  if (at < 0) throw new Error("the signature has another form");
  const bytes = Buffer.from(inside, "hex");
  const more = Buffer.concat([Buffer.of(0x40 + bytes.length), bytes, Buffer.from(unprotected, "hex")]);
  const head = out.indexOf(Buffer.from("0258", "hex"));
  // of the protected one with its length, and the unprotected one
  const before = 5;
  for (const length of [head + 2, at + 1]) out[length] = (out[length] as number) + more.length - before;
  return Buffer.concat([out.subarray(0, at + 4), more, out.subarray(at + 4 + before)]);
}

// explain --refusal: what a bare number from a device means for a file.

import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, FACTS, type Place, standard } from "../../../test-support/src/command-line/run.js";

let p: Place;
let micro: Uint8Array;

beforeAll(async () => {
  p = standard();
  p.put("app.bin", "app version 1");
  await p.ok(["sign", "app.bin", "--for", "micro", ...FACTS, "--seq", "1", "--key", "A.pem", "--out", "micro.suit"]);
  micro = new Uint8Array(p.get("micro.suit"));
  await p.ok(["sign", "app.bin", "--version", "1.0.0", ...FACTS, "--seq", "2", "--key", "A.pem", "--out", "text.suit"]);
});

const told = async (file: string, refusal: string) => (await p.ok(["explain", file, "--refusal", refusal])).stdout.trimEnd().split("\n");
const facts = async (file: string, refusal: string) =>
  ((await p.ok(["explain", file, "--refusal", refusal, "--json"])).json as { refusal: Record<string, unknown> }).refusal;

/** The micro release with another byte at `at`. */
function changed(at: number, by = 1): string {
  const bytes = Uint8Array.from(micro);
  bytes[at] = (bytes[at] as number) ^ by;
  p.put("changed.suit", bytes);
  return "changed.suit";
}

describe("explain --refusal, for a micro verifier", () => {
  // d8 6b a3 02 58..: key 2 is at byte 3
  it("says which byte of the file differs from the template, and what to change", async () => {
    const lines = await told(changed(3), "130@3");
    expect(lines).toEqual([
      expect.stringMatching(/^130, at byte 3: .* \(TEMPLATE_MISMATCH\)$/),
      "  byte: 03, in envelope > manifest",
      "  firmseal-single-1 has there: key 2, the authentication wrapper",
      "  this file has this fault: a device refuses it again",
      "  what to do: sign it with firmseal sign, with one or two keys",
    ]);
    expect(await facts("changed.suit", "130@3")).toMatchObject({ code: 130, name: "TEMPLATE_MISMATCH", at: 3, byte: "03", same: true });
  });

  it("says that the device got other bytes if the file has the template there", async () => {
    expect(await facts("micro.suit", "130@3")).toMatchObject({
      byte: "02",
      element: ["envelope", "authentication-wrapper"],
      template: "key 2, the authentication wrapper",
      same: false,
    });
    expect((await told("micro.suit", "130@3")).at(-1)).toBe(
      "  this file does not have this fault: the device got other bytes. Send it again",
    );
  });

  it("says where the file differs if it is not at that byte, so that nobody sends it again", async () => {
    const { at } = await facts("text.suit", "130");
    expect(at).not.toBe(3);
    expect(await facts("text.suit", "130@3")).toMatchObject({ same: false, other: { code: 130, at } });
    expect((await told("text.suit", "130@3")).at(-1)).toContain(`Do not send it again: a device refuses this file too, with 130@${at}`);
    p.put("long.suit", Buffer.concat([micro, Buffer.from([0])]));
    expect(await facts("long.suit", "1@7")).toMatchObject({ same: false, other: { code: 10, at: micro.length } });
    expect(await facts("micro.suit", "130@3")).not.toHaveProperty("other");
  });

  it("finds the byte if the device reports none", async () => {
    const found = await facts("text.suit", "130");
    expect(await facts("text.suit", `130@${found["at"]}`)).toEqual(found);
    expect(found).toMatchObject({ same: true, advice: expect.stringContaining("no text") });
    expect(found["element"]).toEqual(["envelope", "manifest"]);
    expect(await facts("micro.suit", "130")).toMatchObject({ same: false });
  });

  it("agrees with --for micro on every byte of the template", async () => {
    for (let at = 3; at < micro.length; at += 23) {
      const r = await p.run(["verify", changed(at, 0x80), "--for", "micro", "--key", "A.jwk"]);
      const at0 = /byte (\d+) is/.exec(r.stderr)?.[1];
      if (at0 === undefined) continue;
      expect(await facts("changed.suit", `130@${at0}`), `byte ${at}`).toMatchObject({ at: Number(at0), same: true });
    }
  });
});

describe("explain --refusal, for a micro verifier without a part", () => {
  beforeAll(async () => {
    await p.ok([
      "sign",
      "app.bin",
      "--for",
      "micro",
      "--uri",
      "https://example.com/app",
      ...FACTS,
      "--seq",
      "3",
      "--key",
      "A.pem",
      "--out",
      "uri.suit",
    ]);
  });

  it("says that a bundle without uri refuses an image outside the envelope, where it does", async () => {
    const { playable } = await import("@firmseal/bundler");
    const { anchor, open } = new Function(
      `return ${playable({ algs: ["ed25519"], features: [], micro: [], without: ["uri"] })}`,
    )() as typeof import("@firmseal/verifier");
    const { x } = JSON.parse(p.get("A.jwk").toString()) as { x: string };
    const trust = { anchors: [anchor("ed25519", Buffer.from(x, "base64url"))] };
    expect(() => open(micro, trust)).not.toThrow();
    let at = -1;
    try {
      open(new Uint8Array(p.get("uri.suit")), trust);
    } catch (e) {
      at = (e as { at: number }).at;
    }
    expect(at).toBeGreaterThan(0);
    const found = await facts("uri.suit", `130@${at}`);
    expect(found).toMatchObject({ at, without: ["uri"], advice: expect.stringContaining("into the envelope, without ") });
    expect(found).not.toHaveProperty("same");
    expect(await facts("uri.suit", "130")).toEqual(found);
    const lines = await told("uri.suit", `130@${at}`);
    expect(lines.slice(-2)).toEqual([
      "  a micro bundle made --without uri refuses this file there; one with all parts does not",
      `  what to do: ${found["advice"]}`,
    ]);
    // elsewhere, no bundle refuses it
    expect(await facts("uri.suit", "130@3")).toMatchObject({ same: false });
    expect(await facts("uri.suit", "130@3")).not.toHaveProperty("without");
  });

  it.each(["limits", "threshold"])("says that one without %s refuses a policy that needs it", async (part) => {
    const found = await facts("micro.suit", "50");
    expect(found).toMatchObject({ without: ["limits", "threshold"], advice: expect.stringContaining(`make its bundle with ${part}`) });
    for (const name of ["at", "same"]) expect(found).not.toHaveProperty(name);
    expect(await told("micro.suit", "50")).toContain(
      `  a micro bundle made --without ${part} refuses a trust policy that needs this part; one with all parts does not`,
    );
  });

  it("says nothing of boot, without which no file is refused", async () => {
    for (const refusal of ["130", "50", "130@3"])
      for (const file of ["micro.suit", "uri.suit"]) expect((await facts(file, refusal))["without"] ?? []).not.toContain("boot");
  });
});

describe("explain --refusal, for any verifier", () => {
  it("says which element has the byte", async () => {
    const at = micro.length - 3;
    expect(await facts("micro.suit", `95@${at}`)).toMatchObject({ code: 95, at, element: ["envelope", "#firmware"] });
    const { at: end } = await facts("text.suit", "130");
    const inside = await facts("text.suit", `44@${Number(end) + 40}`);
    expect((inside["element"] as string[]).slice(0, 3)).toEqual(["envelope", "manifest", "common"]);
    expect(inside).not.toHaveProperty("same");
  });

  it("says whether the file has a fault of its bytes", async () => {
    p.put("long.suit", Buffer.concat([micro, Buffer.from([0])]));
    expect(await facts("long.suit", "10")).toMatchObject({ name: "CBOR_TRAILING", at: micro.length, byte: "00", same: true });
    expect(await facts("micro.suit", `10@${micro.length}`)).toMatchObject({ same: false });
    expect(await told("micro.suit", `1@${micro.length}`)).toContain("  byte: the file ends before it");
  });

  it("explains a number that no byte has", async () => {
    for (const refusal of ["38", "38@-1"]) {
      const found = await facts("micro.suit", refusal);
      expect(found).toMatchObject({ code: 38, name: "ROLLBACK" });
      for (const name of ["at", "byte", "element", "same"]) expect(found).not.toHaveProperty(name);
    }
  });

  it("refuses what is not a refusal of this file", async () => {
    for (const [refusal, words] of [
      ["abc", "130@45"],
      ["130@", "130@45"],
      ["130@-2", "130@45"],
      ["999", "no refusal has the number 999"],
      [`130@${micro.length + 1}`, `which has ${micro.length} bytes`],
    ] as const) {
      const r = await p.run(["explain", "micro.suit", "--refusal", refusal]);
      expectFailure(r, 2);
      expect(r.stderr, refusal).toContain(words);
    }
    expect(expectFailure(await p.run(["explain", "micro.suit", "--refusal", "130", "--slot", "1"]), 2)).toContain("--slot");
    expectFailure(await p.run(["explain", "app.bin", "--refusal", "130"]), 1);
  });
});

// Every test vector that a report can hold, played in the page: it says what the verifier says, good or refused.

import { explainManifest } from "@firmseal/behaviour";
import { minifiedBundle } from "@firmseal/bundler";
import type { ReportData, ReportKey, ReportKind } from "@firmseal/report";
import { publicKey, testKeyName } from "@firmseal/signer";
import { anchor, errors, open, start, step, type Trust } from "@firmseal/verifier";
import { refusalOf } from "@firmseal/verifier/tools";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readMicroVectors, readVectors } from "../../../test-vectors/index.mjs";
import { chromiumPath, NO_BROWSER } from "../../test-support/src/browser.js";
import { hex } from "../../test-support/src/bytes.js";
import { standard } from "../../test-support/src/command-line/run.js";
import { LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { Reader, urlOf } from "./pages.js";

const { reportHtml, MOST_BOARDS } = (await import(new URL("../lib/index.js", import.meta.url).href)) as typeof import("@firmseal/report");

vi.setConfig({ testTimeout: 300_000 });

/** By default every sixth is played in a page. The same test of the inspector gives others to the same verifyReport(). */
const SHARE = 6;

const ALGS = ["ed25519", "es256", "hsslms"] as const;

interface Vector {
  name: string;
  action: string;
  envelope?: string;
  trust?: { anchors: { alg: string; key: string; kid?: string; [limit: string]: unknown }[]; threshold?: unknown; floor?: unknown };
  device?: { vendor?: string[]; class?: string[]; device?: string[] };
  expect: { code?: number };
  [more: string]: unknown;
}

/** Why a report cannot hold a vector. Undefined: it can. */
function whyNot({ action, envelope, trust, ...more }: Vector): string | undefined {
  if (action === "anchor") return "a key alone";
  if (action === "trust" || action === "embedded") return "a trust file";
  if (envelope === undefined) return "no envelope";
  for (const name of ["store", "strange", "memory", "previous", "role"]) if (name in more) return name;
  if (trust?.floor !== undefined) return "floor";
  // decode and start have no policy: the verifier and the page get the same
  const anchors = trust?.anchors ?? [];
  if (anchors.some((a) => Object.keys(a).some((name) => !["alg", "key", "kid", "since", "until"].includes(name)))) return "limits of keys";
  if (!anchors.every(({ alg }) => ALGS.some((name) => name === alg))) return "another algorithm";
  if (trust && trust.threshold !== undefined && !Number.isInteger(trust.threshold)) return "threshold";
  return undefined;
}

/** What a report has no form for, and how many vectors there may be. The inspector plays those of trust files. */
const MOST_LEFT: { readonly [why: string]: number } = {
  ...{ "a key alone": 40, "a trust file": 200, "another algorithm": 10, floor: 40, "limits of keys": 10 },
  ...{ memory: 2, store: 50, strange: 20, threshold: 2 },
};

const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");

function dataOf({ name, envelope = "", trust, device }: Vector): ReportData {
  const keys = (trust?.anchors ?? []).map(
    ({ alg, key, kid, since, until }) =>
      ({
        alg,
        key: base64(key),
        ...(kid !== undefined && { kid: base64(kid) }),
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
      }) as ReportKey,
  );
  const id = (ids: string[] | undefined) => (ids?.[0] === undefined ? undefined : base64(ids[0]));
  const [vendor, classId, own] = [id(device?.vendor), id(device?.class), id(device?.device)];
  const kind = { ...(vendor && { vendor }), ...(classId && { class: classId }), ...(own && { device: own }), slot: 0 };
  const kinds: ReportKind[] = device ? [true, false].map((has) => ({ ...kind, has })) : [];
  const threshold = (trust?.threshold ?? 1) as number;
  return { file: name, board: name, made: "", envelope: base64(envelope), keys, threshold, names: {}, kinds, slots: false };
}

/** The first published test key among the anchors that have signed. */
function testKeyOf({ envelope = "", trust }: Vector): string | undefined {
  for (const { alg, key, kid, since, until } of trust?.anchors ?? []) {
    const one = anchor(alg as "ed25519", hex(key), kid === undefined ? undefined : hex(kid));
    try {
      open(hex(envelope), { anchors: [Object.assign(one, since && { since }, until && { until })], threshold: 1 } as Trust);
    } catch {
      continue;
    }
    const name = testKeyName(publicKey(alg as "ed25519", hex(key)));
    if (name !== undefined) return name;
  }
  return undefined;
}

/** What the verifier says here: the number of its refusal, and those of the devices of the vector if it opens the envelope. */
function said({ envelope = "", trust, device }: Vector): { code?: number; devices: (number | undefined)[] } {
  let manifest: ReturnType<typeof open>;
  try {
    const anchors = (trust?.anchors ?? []).map(({ alg, key, kid, since, until }) =>
      Object.assign(anchor(alg as "ed25519", hex(key), kid === undefined ? undefined : hex(kid)), since && { since }, until && { until }),
    );
    manifest = open(hex(envelope), { anchors, threshold: trust?.threshold ?? 1 } as Trust);
  } catch (e) {
    return { code: (e as { code: number }).code, devices: [] };
  }
  const one = (ids: string[] | undefined) => ids?.slice(0, 1).map(hex) ?? [];
  const identity = { vendor: one(device?.vendor), class: one(device?.class), device: one(device?.device) };
  // without identityChecked: a device bundle cannot tell either
  const kinds = device ? [true, false].map((there) => ({ identity, slot: 0, there })) : [];
  const { behaviours } = explainManifest({ start, step }, manifest, kinds);
  return { devices: behaviours.map(({ refused }) => refused?.code) };
}

interface Row {
  name: string;
  verdict: string;
  devices: string[];
}

/** What a page with these boards says about each. */
const READ = `[...document.querySelectorAll("section.board")].map((section, i) => ({
  name: section.querySelector(".told dd")?.textContent ?? section.querySelector("h2").textContent.replace(/^Board /, ""),
  verdict: document.querySelectorAll("#boards + div tbody tr")[i].lastElementChild.textContent,
  devices: [...section.querySelectorAll(".kind .bad")].map((one) => one.textContent),
}))`;

const numbered = (code: number) => `(${code} ${refusalOf(code)?.name})`;

const exactly = (text: string) => new RegExp(`${text.replace(/[()]/g, "\\$&")}$`);

/** What the page must say. It checks payloads too, which open() does not: what it refuses then, devices refuse. */
function verdictOf(vector: Vector, code: number | undefined, devices: (number | undefined)[], verdict: string): RegExp {
  if (code !== undefined) return exactly(numbered(code));
  const payload = /^Refused: payload \S+ is not the one that was signed: .*\((\d+) [A-Z_]+\)$/.exec(verdict)?.[1];
  if (payload !== undefined) {
    // a device may be configured to accept an image without a digest, at its own risk; a page is not
    const isRefused = vector.expect.code !== undefined || Number(payload) === errors.DIGEST_UNSET;
    expect([vector.name, isRefused, PAYLOAD_CODES.includes(Number(payload))]).toEqual([vector.name, true, true]);
    return /payload/;
  }
  const [first] = devices;
  if (first !== undefined && !devices.includes(undefined)) return exactly(numbered(first));
  const testKey = testKeyOf(vector);
  return testKey === undefined ? /^verified$/ : new RegExp(`^Signed with the published test key ${testKey}: anybody can sign with it$`);
}

const PAYLOAD_CODES: readonly number[] = [errors.PAYLOAD_SIZE, errors.IMAGE_MISMATCH, errors.DIGEST_UNSET];

let reader: Reader;
beforeAll(async () => {
  if (chromiumPath) reader = await Reader.start();
});
afterAll(async () => {
  await reader?.close();
});

describe.skipIf(!chromiumPath)(`the vectors in a report${NO_BROWSER}`, () => {
  it.each([
    ["general", () => readVectors() as unknown as Vector[], 620, 250],
    ["micro", () => readMicroVectors() as unknown as Vector[], 119, 20],
  ])(`agrees with the verifier about %s vectors${OF_SOME}`, async (which, read, least, leastRefused) => {
    const all = read();
    const out = new Map<string, number>();
    const fit = all.filter((vector) => {
      const why = whyNot(vector);
      if (why !== undefined) out.set(why, (out.get(why) ?? 0) + 1);
      return why === undefined;
    });
    // a vector that is left out is counted, and the others are not fewer than today
    const left = [...out.values()].reduce((sum, n) => sum + n, 0);
    expect([fit.length + left, [...out.keys()].filter((why) => !(why in MOST_LEFT))]).toEqual([all.length, []]);
    for (const [why, n] of out) expect([why, n <= (MOST_LEFT[why] ?? 0)]).toEqual([why, true]);
    expect(fit.length).toBeGreaterThanOrEqual(least);
    const played = some(fit, SHARE);
    const bundle = await minifiedBundle({ algs: ALGS, features: ["install", "errors", "copy", "trust"], format: "script" });
    const p = standard();
    let refused = 0;
    for (let at = 0; at < played.length; at += MOST_BOARDS) {
      const shown = played.slice(at, at + MOST_BOARDS);
      p.put("all.html", reportHtml({ file: "all", made: "", record: "", boards: shown.map(dataOf) }, bundle));
      const { page, noise } = await reader.opened(urlOf(p, "all.html"));
      expect(noise).toEqual([]);
      const rows = (await page.evaluate(READ)) as Row[];
      for (const [i, vector] of shown.entries()) {
        const { code, devices: found } = said(vector);
        const { name, verdict, devices: words } = rows[i] as Row;
        if (which === "general" && vector.action === "open" && vector.expect.code !== undefined)
          expect([vector.name, code]).toEqual([vector.name, vector.expect.code]);
        expect([name, verdict]).toEqual([vector.name, expect.stringMatching(verdictOf(vector, code, found, verdict))]);
        // a board that is refused shows nothing of its devices
        const codes = verdict.startsWith("Refused") ? [] : found.flatMap((n) => n ?? []);
        expect([name, words]).toEqual([name, codes.map((n) => expect.stringContaining(numbered(n)))]);
        if (code !== undefined) refused++;
      }
    }
    expect(refused).toBeGreaterThan(leastRefused / (LONG ? 1 : SHARE));
  });
});

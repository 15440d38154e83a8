// The published keys, with which nothing may be signed.

import { describe, expect, test } from "vitest";
import { hex, toHex, utf8 } from "../../test-support/src/bytes.js";
import { published, publishedHss } from "../../test-support/src/keys/published.js";
import { keyAlgs, loadAlg } from "../src/alg/algorithms.js";
import { hssPublicKey, hssTop } from "../src/hss/stack.js";
import { parseHss } from "../src/hss/text.js";
import { cachedCount, cachedNodes, rootOf } from "../src/hss/tree.js";
import { privateKey, publicKey } from "../src/key/key.js";
import type { TestKey } from "../src/test-keys/key.js";
import { testKeyForms, testKeyName, testKeyPublic, testKeys } from "../src/test-keys/test-keys.js";
import { N } from "./key-common.js";

/** Test keys whose private halves are in trees that this test does not repeat. */
const NOT_HERE = ["mcuboot-root-ed25519-2", "tfm-psoc64-s", "tfm-root-ec-p256-1"];

describe("test keys", () => {
  test("are valid, once each, under names of their own", async () => {
    for (const t of testKeys) {
      await loadAlg(t.alg);
      expect(testKeyName(publicKey(t.alg, testKeyPublic(t).key, utf8("any"))), t.name).toBe(t.name);
    }
    expect(new Set(testKeys.map((t) => t.name)).size).toBe(testKeys.length);
    expect(new Set(testKeys.map((t) => `${t.alg} ${t.key}`)).size).toBe(testKeys.length);
  });

  test("were computed from the published private halves", () => {
    // of one tree two are listed
    const roots = new Map<string, Uint8Array>();
    for (const t of testKeys) {
      const parts = publishedHss[t.name];
      if (parts) {
        const params = parseHss(parts[0]);
        const top = hssTop(params, hex(parts[1]), hex(parts[2]));
        const tree = JSON.stringify([top.n, top.height, top.width, parts[1], parts[2]]);
        const root = roots.get(tree) ?? rootOf(top, cachedNodes(top, 0, cachedCount(top)));
        roots.set(tree, root);
        expect(toHex(hssPublicKey(params, top, root)), t.name).toBe(t.key);
        continue;
      }
      const secret = t.digest === undefined ? published[t.name] : t.key;
      // published elsewhere, and not here
      if (secret === undefined) expect(NOT_HERE).toContain(t.name);
      else expect(testKeyName(privateKey(t.alg, hex(secret))), t.name).toBe(t.name);
    }
    for (const name of Object.keys(published)) expect(testKeys.some((t) => t.name === name)).toBe(true);
  });

  test("are known in each form that their secret signs for: the negative, and a tree at any level", () => {
    for (const t of testKeys) {
      const [own, ...others] = testKeyForms(t);
      expect(own).toEqual(testKeyPublic(t));
      expect(others).toHaveLength({ ed25519: 1, es256: 1, hsslms: 7 }[t.alg as string] ?? 0);
      // of one tree two are listed, each under its own number of levels
      for (const key of others)
        expect(testKeyName(key), t.name).toBe(
          testKeys.find((o) => o.key === toHex(key.key))?.name ?? t.name.replace("cose-wg-itsbig", "rfc8554-tc2"),
        );
      expect(new Set([own, ...others].map((key) => toHex(key?.key as Uint8Array))).size).toBe(others.length + 1);
    }
    // the negative is that of the secret n - d
    for (const [name, d] of Object.entries(published).filter(([name]) => testKeys.some((t) => t.name === name && t.alg === "es256"))) {
      const negative = privateKey("es256", hex((BigInt(`0x${N}`) - BigInt(`0x${d}`)).toString(16).padStart(64, "0")));
      expect(toHex(testKeyForms(testKeys.find((t) => t.name === name) as TestKey)[1]?.key as Uint8Array)).toBe(toHex(negative.key));
      expect(testKeyName(negative)).toBe(name);
    }
  });

  test("another key has no name", async () => {
    for (const alg of keyAlgs.filter((a) => a !== "hsslms")) {
      await loadAlg(alg);
      expect(testKeyName(privateKey(alg, new Uint8Array(32).fill(0x43)))).toBeUndefined();
    }
  });
});

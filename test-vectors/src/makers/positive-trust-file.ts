// Trust files that are accepted, with what they let in.

import { ALG_EDDSA, ALG_ES256 } from "../../../packages/verifier/src/spec/cose.js";
import { ROLE_DEBUG, ROLE_RECOVERY, ROLE_RELEASE, ROLE_ROOT } from "../../../packages/verifier/src/spec/trust.js";
import type { Expect, Vector } from "../../index.mjs";
import { anchorOf, bytes, CLASS, envelope, hex, int, manifest, OTHER, text, unhex, VENDOR } from "../pieces/assemble.js";
import { type FileFields, fileOf, listed, listOf, RELEASE, ROOT, type Signature } from "../pieces/trust-file.js";
import { pair } from "./adder.js";

export async function trustFiles(): Promise<Vector[]> {
  const all: Vector[] = [];
  const add = async (name: string, about: string, f: FileFields, rest: Partial<Vector>, expect: object, signatures: Signature[] = [{}]) => {
    const file = hex(await fileOf(listOf(f), signatures));
    all.push({ name, about, action: "trust", envelope: file, ...rest, expect: { ok: true, sequence: "1", ...expect } as Expect });
  };
  const role = ROLE_RELEASE;
  const two: FileFields = {
    anchors: [ROOT, listed("b", [ROLE_ROOT]), listed("p", [ROLE_RELEASE])],
    thresholds: [
      [ROLE_ROOT, 2],
      [ROLE_RELEASE, 1],
    ],
  };
  const fileBefore = async (f: FileFields = {}) => ({ previous: hex(await fileOf(listOf(f))) });

  await add("trust-first", "the first file, on a device that knows its root", {}, { role }, { trusted: [1], threshold: 1 });
  await add("trust-embedded", "a file that is part of the firmware", {}, { action: "embedded", role }, { trusted: [1], threshold: 1 });
  await add("trust-next", "the file that follows", { sequence: int(2) }, await fileBefore(), { sequence: "2" });
  await add("trust-again", "the same list once more", {}, await fileBefore(), {});
  await add("trust-sequence-2-64", "the highest sequence number", { sequence: int(2n ** 64n - 1n) }, await fileBefore(), {
    sequence: "18446744073709551615",
  });
  await add("trust-two-roots", "two roots of two have signed", two, { role }, { trusted: [2], threshold: 1 }, [{}, { key: "b" }]);
  await add("trust-signature-too-many", "a signature more, by a key that nobody lists", {}, {}, {}, [{ key: "p" }, {}]);
  await add(
    "trust-roots-change",
    "from one root to another: the old one and the new one have signed",
    { sequence: int(2), anchors: [listed("b", [ROLE_ROOT]), listed("p", [ROLE_RELEASE])] },
    { ...(await fileBefore()), role },
    { sequence: "2", trusted: [1], threshold: 1 },
    [{ key: "b" }, {}],
  );
  await add(
    "trust-kid-changes",
    "a root has another key identifier than in the file before, and signs under the new one",
    { sequence: int(2), anchors: [listed("a", [ROLE_ROOT], { more: [pair(4, bytes([2]))] }), RELEASE] },
    await fileBefore({ anchors: [listed("a", [ROLE_ROOT], { more: [pair(4, bytes([1]))] }), RELEASE] }),
    { sequence: "2" },
    [{ kid: [2] }],
  );
  await add(
    "trust-scope",
    "keys for this vendor and class, for any, and for another",
    {
      anchors: [
        ROOT,
        listed("b", [ROLE_RELEASE], { more: [pair(5, bytes(VENDOR)), pair(6, bytes(CLASS))] }),
        listed("p", [ROLE_RELEASE, ROLE_RECOVERY]),
        listed("p", [ROLE_RELEASE], { key: bytes([1]), alg: int(-9999), more: [pair(6, bytes(OTHER))] }),
      ],
      thresholds: [
        [ROLE_ROOT, 1],
        [ROLE_RELEASE, 2],
        [ROLE_RECOVERY, 1],
      ],
    },
    { role },
    { trusted: [1, 2], threshold: 2 },
  );
  await add(
    "trust-alg-unknown",
    "a key of an algorithm that no build here has is beside another",
    { anchors: [ROOT, RELEASE, listed("p", [ROLE_RELEASE], { key: bytes([1, 2, 3]), alg: int(-9999) })] },
    { role },
    { trusted: [1], threshold: 1 },
  );
  await add(
    "trust-release-first",
    "a release key in front of the root",
    { anchors: [RELEASE, ROOT] },
    { role },
    { trusted: [0], threshold: 1 },
  );
  await add(
    "trust-alg-eddsa",
    "a key under the older number of Ed25519",
    { anchors: [ROOT, listed("b", [ROLE_RELEASE], { alg: int(ALG_EDDSA) })] },
    { role },
    { trusted: [1], threshold: 1 },
  );
  await add(
    "trust-alg-es256",
    "a key under the older number of ESP256",
    { anchors: [ROOT, listed("p", [ROLE_RELEASE], { alg: int(ALG_ES256) })] },
    { role },
    { trusted: [1], threshold: 1 },
  );
  await add(
    "trust-anchors-16",
    "16 anchors, and a threshold of 8",
    {
      anchors: [ROOT, ...Array.from({ length: 15 }, (_, i) => listed("b", [ROLE_RELEASE], { key: bytes([i]), alg: int(-9999) }))],
      thresholds: [
        [ROLE_ROOT, 1],
        [ROLE_RELEASE, 8],
      ],
    },
    {},
    {},
  );
  await add(
    "trust-kid-64",
    "a key identifier of 64 bytes",
    { anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: [pair(4, bytes(new Array(64).fill(0x6b)))] })] },
    { role },
    { trusted: [1], threshold: 1 },
  );
  await add(
    "trust-recovery",
    "a key that signs for recovery alone",
    {
      anchors: [ROOT, listed("b", [ROLE_RECOVERY])],
      thresholds: [
        [ROLE_ROOT, 1],
        [ROLE_RECOVERY, 1],
      ],
    },
    { role: ROLE_RECOVERY },
    { trusted: [1], threshold: 1 },
  );
  // the first and the last character of each length, and those around the surrogates (RFC 3629 §4)
  await add(
    "trust-name-utf8",
    "a name of the first and last characters of each length",
    { name: text(unhex("c280dfbfe0a080ed9fbfee8080efbfbff0908080f48fbfbf")) },
    {},
    {},
  );
  await add(
    "trust-name-64",
    "a name of 64 bytes, beyond ASCII",
    { name: text([...Array.from({ length: 16 }, () => [0xf0, 0x9f, 0x94, 0x91]).flat()]) },
    {},
    {},
  );

  const open = async (name: string, about: string, f: FileFields, asked: number, keys: ("a" | "b" | "p")[], signers: number[]) =>
    all.push({
      name,
      about,
      action: "open",
      envelope: hex(await envelope(manifest(), { blocks: keys.map((key) => ({ key })) })),
      store: { file: hex(await fileOf(listOf(f))), role: asked },
      expect: { ok: true, sequence: "7", signers, absent: [] },
    });
  const debug: FileFields = {
    anchors: [ROOT, listed("b", [ROLE_DEBUG]), listed("p", [ROLE_RELEASE])],
    thresholds: [
      [ROLE_ROOT, 1],
      [ROLE_DEBUG, 1],
      [ROLE_RELEASE, 1],
    ],
  };
  const limits = (since: number, until: number): FileFields => ({
    anchors: [ROOT, listed("b", [ROLE_RELEASE], { more: [pair(7, int(since)), pair(8, int(until))] }), listed("p", [ROLE_RELEASE])],
  });
  await open("store-release", "a release key has signed a release", debug, ROLE_RELEASE, ["p"], [0]);
  await open("store-debug", "a debug key has signed for a device that is asked for debugging", debug, ROLE_DEBUG, ["b"], [0]);
  await open("store-debug-and-release", "a debug key has signed as well, and does not count", debug, ROLE_RELEASE, ["b", "p"], [0]);
  await open(
    "store-limits",
    "the sequence number is the lowest and the highest that the key counts for",
    limits(7, 7),
    ROLE_RELEASE,
    ["b"],
    [0],
  );
  await open("store-retired-and-new", "the retired key has signed first, the new one second", limits(1, 6), ROLE_RELEASE, ["b", "p"], [1]);
  all.push({
    name: "window-2-64",
    about: "limits of 64 bits",
    action: "open",
    envelope: hex(await envelope(manifest({ sequence: 2n ** 64n - 1n }))),
    trust: { anchors: [{ ...anchorOf("a"), since: [4294967295, 4294967295], until: [4294967295, 4294967295] }] },
    expect: { ok: true, sequence: "18446744073709551615", signers: [0], absent: [] },
  });
  return all;
}

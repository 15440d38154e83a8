// All vectors, and the files they are written to. Nothing here depends on the day or on chance: the same sources give
// the same bytes.

import * as verifier from "../../packages/verifier/src/install/micro/index.js";
import type { DeviceSpec, Kind, Listed, Published, TrustSpec, Vector } from "../index.mjs";
import { outcome } from "../play/judge.js";
import { published } from "./header.js";
import type { Made } from "./makers/adder.js";
import { effects } from "./makers/effects.js";
import { families } from "./makers/families.js";
import { type MicroVector, micro } from "./makers/micro.js";
import { negatives } from "./makers/negative.js";
import { positives } from "./makers/positive.js";
import { trustFiles } from "./makers/positive-trust-file.js";
import { trustNumbers } from "./makers/trust-numbers.js";
import { anchorOf, CLASS, DEVICE, hex, PUBLISHED, VENDOR } from "./pieces/assemble.js";

/** Rises when a player has to change: README.md. */
const FORMAT = 1;

const defaults: { trust: TrustSpec; device: DeviceSpec } = {
  trust: { anchors: [anchorOf("a")] },
  device: { vendor: [hex(VENDOR)], class: [hex(CLASS)], device: [hex(DEVICE)], components: [["00"], ["01"]], capacity: 64 },
};

/** Whether a device is asked who it is or what it holds. */
const needsDevice = ({ action, store, role }: Vector): boolean =>
  ["run", "step", "start", "install", "boot"].includes(action) || store !== undefined || role !== undefined;

/** Whether the keys are those of `trust`, and not those of a trust file. */
const needsTrust = ({ action, store, previous }: Vector): boolean =>
  !["decode", "start", "embedded"].includes(action) && store === undefined && previous === undefined;

/** With the trust and the device that it is played with, so that it needs nothing beside it. */
function complete(v: Made): Made {
  const { expect, trust, device, envelope, ...rest } = v;
  return {
    ...rest,
    ...(needsTrust(v) && { trust: trust ?? defaults.trust }),
    ...(needsDevice(v) && { device: { ...defaults.device, ...device } }),
    ...(envelope !== undefined && { envelope }),
    expect,
  };
}

/**
 * With the offset that a refusal names: where the item lies that was read last, or -1. A change of one shows when the
 * file is compared.
 */
function withOffset(v: Made): Made {
  if (!("code" in v.expect)) return v;
  const expect = { ...v.expect, at: -1 };
  const result = outcome({ ...v, expect });
  if (!("code" in result) || result.code !== expect.code)
    throw new Error(`${v.name}: expected ${expect.code}, got ${JSON.stringify(result)}`);
  const { code, at, ...more } = expect;
  return { ...v, expect: { code, at: result.at ?? at, ...more } };
}

/** With the offset that a micro verifier names. */
function withMicroOffset(v: MicroVector): MicroVector {
  const form = { input: (bytes: ArrayLike<number>) => bytes, verifier };
  const expect = "code" in v.expect ? { ...v.expect, at: -1 } : v.expect;
  const result = outcome({ ...v, expect }, undefined, form);
  if (!("code" in result) || !("code" in expect) || result.code !== expect.code) {
    if (JSON.stringify(result) === JSON.stringify(expect)) return v;
    throw new Error(`${v.name}: expected ${JSON.stringify(expect)}, got ${JSON.stringify(result)}`);
  }
  return { ...v, expect: { ...expect, at: result.at ?? -1 } };
}

/** 32 bits each as one decimal number, as files have it; what is no such pair stays as it is. */
const decimal = (pair: unknown): unknown => {
  if (!Array.isArray(pair)) return pair;
  const [high, low] = pair as [number, number];
  const isPair = [high, low].every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32);
  return isPair ? String(BigInt(high) * 4294967296n + BigInt(low)) : pair;
};
function withDecimals(object: object, ...names: string[]): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, names.includes(name) ? decimal(value) : value]));
}

/** A key of keys.json is named; any other is in the vector. */
function anchorText(a: TrustSpec["anchors"][number]): object {
  const { alg, key, ...rest } = a;
  const ref = Object.keys(PUBLISHED).find((name) => PUBLISHED[name]?.alg === alg && PUBLISHED[name]?.key === key);
  return { ...(ref === undefined ? { alg, key } : { ref }), ...withDecimals(rest, "since", "until") };
}

/** One line for each member, so that a change shows as what it is. */
const members = (o: object): string =>
  Object.entries(o)
    .map(([k, v]) => `  ${JSON.stringify(k)}: ${JSON.stringify(v)}`)
    .join(",\n");
const print = (o: object): string => `{\n${members(o)}\n}\n`;
const lines = (name: string, all: object[], before: object): string =>
  `{\n${members(before)},\n  ${JSON.stringify(name)}: [\n${all.map((v) => `    ${JSON.stringify(v)}`).join(",\n")}\n  ]\n}\n`;

const pathOf = ({ group, kind, name }: Published): string => `vectors/${group}/${kind}/${name}.json`;

function written(v: Pick<Published, "trust" | "device">): object {
  const trust = v.trust && { ...withDecimals(v.trust, "floor"), anchors: v.trust.anchors.map(anchorText) };
  const device = v.device && withDecimals(v.device, "sequence");
  return { ...v, ...(trust && { trust }), ...(device && { device }) };
}

const fileOf = (v: Published): string => print({ $schema: "../../../schema/vector.schema.json", ...written(v) });

const entryOf = (v: Published): Listed => ({
  file: pathOf(v),
  name: v.name,
  group: v.group,
  kind: v.kind,
  action: v.action,
  ...("code" in v.expect && { code: v.expect.code }),
  strictness: v.strictness,
  features: v.features,
});

async function all(): Promise<Published[]> {
  const finish = (kind: Kind, vectors: Made[]) => vectors.map((v) => published(withOffset(complete(v)), kind));
  return [
    ...finish("accepted", [...(await positives()), ...(await trustFiles()), ...(await trustNumbers()), ...(await families())]),
    ...finish("refused", await negatives()),
    ...finish("effects", await effects()),
  ];
}

/** The files by their paths. */
export async function make(): Promise<Map<string, string>> {
  const vectors = await all();
  const files = new Map<string, string>();
  for (const v of vectors) {
    const path = pathOf(v);
    if (files.has(path)) throw new Error(`two vectors would be ${path}`);
    files.set(path, fileOf(v));
  }
  files.set(
    "index.json",
    lines("vectors", vectors.map(entryOf), {
      $schema: "./schema/index.schema.json",
      format: FORMAT,
      about: "Every vector. What the members mean: README.md",
    }),
  );
  files.set(
    "micro.json",
    lines("vectors", (await micro()).map(withMicroOffset).map(written), {
      format: FORMAT,
      about: "Vectors for micro verifiers, which accept only the template firmseal-single-1: docs/reference/template.md",
    }),
  );
  files.set(
    "keys.json",
    print({
      $schema: "./schema/keys.schema.json",
      about: "Keys that vectors name. Their secrets are published: never trust one of them.",
      keys: PUBLISHED,
    }),
  );
  return files;
}

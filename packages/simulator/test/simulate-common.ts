// Releases, a device, and what a sound report has, for the tests of the simulation.

import { type Description, encode, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { anchor } from "@firmseal/verifier";
import { expect } from "vitest";
import { hex, sha256Hex } from "../../test-support/src/bytes.js";
import { keyA } from "../../test-support/src/command-line/run.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import type { Report } from "../src/report.js";
import type { Release } from "../src/simulation/start-install.js";
import type { Setup } from "../src/store.js";

export const uuid = { vendor: "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe", class: "1492af14-2569-5e48-bf42-9b2d51f2ab45" };

export const identity = { vendor: [hex(uuid.vendor.replaceAll("-", ""))], class: [hex(uuid.class.replaceAll("-", ""))] };

export async function signed(d: Description, payloads: Release["payloads"] = new Map()): Promise<Release> {
  return { envelope: await signEnvelopeWithoutLog(encode(d), [signer(keyA)]), trust: { anchors: [anchor(keyA.alg, keyA.key)] }, payloads };
}

export function release(sequence: number, bytes: Uint8Array, uri = "#fw"): Promise<Release> {
  const facts = { sequence, ...uuid, digest: sha256Hex(bytes), size: bytes.length, uri };
  if (uri.startsWith("#")) return signed(singleImage({ ...facts, payload: bytes }));
  return signed(singleImage(facts), new Map([[uri, bytes]]));
}

export const setup: Setup = { identity, components: [[hex("00")]], capacity: 8192, envelope: 8192, pageSize: 4096 };

/** The sum of what was found, over the first cuts and those during recovery. */
export function total(report: Report) {
  const all = { cuts: 0, old: 0, new: 0, none: 0, mixed: 0, floorFell: 0, stuck: 0 };
  for (const p of report.points) {
    all.cuts += 1 + p.again.cuts;
    for (const name of ["old", "new", "none", "mixed"] as const) all[name] += p.again[name] + (p.boots === name ? 1 : 0);
    all.floorFell += p.again.floorFell + (p.floorFell ? 1 : 0);
    all.stuck += p.again.stuck + (p.converges ? 0 : 1);
  }
  return all;
}

/** The cuts that are tried during each recovery: all with LONG; by default some, evenly spread. */
export const SECOND = LONG ? Number.POSITIVE_INFINITY : 12;

export function expectSound(report: Report, cuts: number): void {
  expect(report.faults).toEqual([]);
  const sum = total(report);
  expect(sum).toMatchObject({ cuts: report.cuts + report.cutsDuringRecovery, none: 0, mixed: 0, floorFell: 0, stuck: 0 });
  expect(sum.old + sum.new).toBe(sum.cuts);
  if (LONG) expect(report.leftOut).toBe(0);
  else expect(report.cutsDuringRecovery).toBeGreaterThan(0.9 * SECOND * report.cuts);
  // it was cut, and on both sides of the commit
  expect(sum.cuts).toBeGreaterThan(cuts);
  expect(Math.min(sum.old, sum.new)).toBeGreaterThan(0);
}

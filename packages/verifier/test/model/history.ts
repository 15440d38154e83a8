// A history of a device: releases in several roles, trials, power cuts, other sessions, and firmware with and without a
// floor for each role. A model says what each step leaves. No floor goes down, and the device always starts.
// histories.test.ts plays random ones, and fuzz/targets/history.ts those that a fuzzer finds.

import { createPublicKey, verify } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { encode, encodeTrust, type PrivateKey, signEnvelopeWithoutLog, signer, signTrustWithoutLog, singleImage } from "@firmseal/signer";
import { FlashModel, PowerCut } from "../../../simulator/src/storage-models/flash-model.js";
import { erasedFlash, type FlashTear } from "../../../simulator/src/storage-models/flash-operations.js";
import { powerOn, storageIo } from "../../../simulator/src/storage-models/storage-model.js";
import { sha256Hex } from "../../../test-support/src/bytes.js";
import { filledKey } from "../../../test-support/src/keys/filled-key.js";
import { flashDevice } from "../../src/device/flash.js";
import { roleFloors } from "../../src/device/roles.js";
import { storageDevice } from "../../src/device/storage.js";
import { type Alg, boot, ed25519, errors, install, open, policyOf, type TrustStore } from "../../src/index.js";
import type { TrialDevice } from "../../src/install/device.js";
import { embeddedTrust } from "../../src/trust/trust-file.js";
import { code, ID, identity, image, uuid } from "../releases.js";

const [root, ...signers] = [1, 2, 3, 4].map(filledKey) as [PrivateKey, PrivateKey, PrivateKey, PrivateKey];
const PAGE = 512;
const TRIES = 2;
export const ROLES = [2, 3, 4] as const;
type Role = (typeof ROLES)[number];

/** The algorithm of the device, faster: its own tests compare both. */
const fast: Alg = {
  ...ed25519,
  verify: (key, message, signature) => {
    const x = Buffer.from(key as Uint8Array).toString("base64url");
    const jwk = { kty: "OKP", crv: "Ed25519", x };
    return verify(null, Uint8Array.from(message), createPublicKey({ key: jwk, format: "jwk" }), Uint8Array.from(signature));
  },
};

let store: TrustStore;

/** Signs the list that devices trust: once, before the first history. */
export async function ready(): Promise<void> {
  if (store) return;
  const names = ["release", "debug", "recovery"] as const;
  const anchors = [{ key: root, roles: ["root" as const] }, ...names.map((role, i) => ({ key: signers[i] as PrivateKey, roles: [role] }))];
  const thresholds = { root: 1, release: 1, debug: 1, recovery: 1 };
  store = embeddedTrust(
    [fast],
    await signTrustWithoutLog(encodeTrust({ name: "line", sequence: 1n, anchors, thresholds }), [signer(root)]),
  );
}
const policy = (role: Role) => policyOf(store, role, identity);

/** A release. `roles`: its firmware keeps a floor for each role. */
export interface Release {
  role: Role;
  sequence: number;
  bytes: number;
  roles: boolean;
}

const made = new Map<string, { envelope: Uint8Array; payload: Uint8Array; sum: string }>();
async function releaseOf(r: Release) {
  const name = JSON.stringify(r);
  const known = made.get(name);
  if (known) return known;
  const payload = image(r.bytes + (r.roles ? 10 : 20), 300);
  const file = { ...uuid, sequence: r.sequence, digest: sha256Hex(payload), size: payload.length, uri: "https://x/f" };
  const envelope = await signEnvelopeWithoutLog(encode(singleImage(file)), [signer(signers[r.role - 2] as PrivateKey)]);
  const sum = Buffer.from(Uint8Array.from(open(envelope, policy(r.role)).digest.bytes)).toString("hex");
  const one = { envelope, payload, sum };
  made.set(name, one);
  return one;
}

/** Storage of a board, and the device on it as after a start. `broken`: whether Storage itself was lost by a cut. */
export interface Board {
  flash: FlashModel;
  open(): TrialDevice;
}
export const boards: { [name: string]: () => Board } = {
  flash: () => {
    const layout = {
      components: [{ id: ID, slots: [0, PAGE] as [number, number], size: PAGE }],
      envelopes: { slots: [2 * PAGE, 3 * PAGE] as [number, number], size: PAGE },
      records: [4 * PAGE, 5 * PAGE] as [number, number],
      tries: TRIES,
    };
    const board: Board = {
      flash: new FlashModel(erasedFlash(6, PAGE)),
      open: () => flashDevice(board.flash, identity, layout, () => true),
    };
    return board;
  },
  storage: () => {
    let io: ReturnType<typeof storageIo> | undefined;
    let powered: FlashModel | undefined;
    const board: Board = {
      flash: new FlashModel(erasedFlash(48, 1024)),
      open: () => {
        if (powered !== board.flash) io = storageIo(powerOn(board.flash).storage);
        powered = board.flash;
        return storageDevice({ ...(io as ReturnType<typeof storageIo>), page: 1024 }, identity, [ID], 400, TRIES);
      },
    };
    return board;
  },
};

interface Floor {
  sequence: number;
  sum: string;
}

/** What a device keeps, written from docs/guides/trust.md and devices.md. */
class Model {
  floors = new Map<Role, Floor>();
  last: Floor | undefined;
  current: Release | undefined;
  before: Release | undefined;
  starts = 0;
  pending = false;

  highest(): number {
    return Math.max(0, ...[...this.floors.values()].map((f) => f.sequence));
  }

  /** A start: of the previous release, if the current one has used up its tries. */
  start(): void {
    if (!this.pending || ++this.starts <= TRIES) return;
    this.pending = false;
    this.current = this.before;
  }

  /** The refusal of an installation by firmware with or without roles, or 0. */
  refusal(r: Release, sum: string, roles: boolean): number {
    if (this.pending) return errors.UNCONFIRMED;
    const floor = roles ? this.floors.get(r.role) : this.last && { sequence: this.highest(), sum: this.last.sum };
    if (!floor || r.sequence > floor.sequence) return 0;
    if (r.sequence < floor.sequence) return errors.ROLLBACK;
    return sum === floor.sum ? 0 : errors.SEQUENCE_TAKEN;
  }

  commit(r: Release, sum: string, roles: boolean): void {
    const floor = { sequence: r.sequence, sum };
    // firmware without roles has one floor, which counts for every role
    for (const role of roles ? [r.role] : ROLES) this.floors.set(role, floor);
    this.last = floor;
    this.before = this.current;
    this.pending = this.current !== undefined;
    this.starts = 0;
    this.current = r;
  }
}

export type Action =
  | { do: "nothing" }
  | { do: "confirm" }
  | { do: "install"; release: Release }
  /** `after` so many operations; negative: so many before the end. */
  | { do: "cut"; release: Release; after: number; tear: FlashTear }
  | { do: "overtaken"; release: Release; by: Release; after: number };

/** Installs a release whose image is fetched in pieces of 64 bytes. */
function fetched(envelope: Uint8Array, payload: Uint8Array, role: Role, device: TrialDevice) {
  const progress = install(envelope, policy(role), device);
  return function* () {
    if (!progress.next()) return;
    for (let at = 0; at < payload.length; at += 64) {
      yield;
      progress.next(payload.subarray(at, at + 64));
    }
    yield;
    progress.next(true);
  };
}

function must(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) throw new Error(`${what}: ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`);
}

/**
 * Plays a history; throws where the device and the model differ. `factory`: the first firmware has a floor for each
 * role. `count` gets what happens.
 */
export async function play(board: Board, factory: boolean, actions: Action[], count: (what: string) => void = () => {}): Promise<void> {
  const model = new Model();
  for (const action of actions) {
    // the power comes back
    board.flash = new FlashModel(board.flash.pages);
    const plain = board.open();
    const envelope = plain.start();
    model.start();
    const firmware = model.current ? model.current.roles : factory;
    const opened = () => (firmware ? roleFloors(board.open()) : board.open());
    const device = firmware ? roleFloors(plain) : plain;
    must("nothing starts", envelope === null, model.current === undefined);
    if (model.current && envelope) {
      const role = firmware ? (device as unknown as { currentRole(): Role }).currentRole() : model.current.role;
      must("the role of the current release", role, model.current.role);
      must("the effect of a start", boot(envelope, policy(role), device).next(), undefined);
      const runs = open(envelope, policy(role)).digest.bytes;
      must("what starts", Buffer.from(Uint8Array.from(runs)).toString("hex"), (await releaseOf(model.current)).sum);
    }
    for (const role of ROLES)
      must(`the floor of role ${role}`, device.floor(role), [0, firmware ? (model.floors.get(role)?.sequence ?? 0) : model.highest()]);
    count(`${action.do}, ${firmware ? "roles" : "one floor"}`);
    if (action.do === "nothing") continue;
    if (action.do === "confirm") {
      device.confirm();
      model.pending = false;
      continue;
    }
    const { envelope: bytes, payload, sum } = await releaseOf(action.release);
    const { role } = action.release;
    const expected = model.refusal(action.release, sum, firmware);
    const before = board.flash.operations;
    if (action.do === "install") {
      must(
        "the refusal",
        code(() => [...fetched(bytes, payload, role, opened())()]),
        expected,
      );
      if (!expected) model.commit(action.release, sum, firmware);
      count(`refusal ${expected}`);
    } else if (action.do === "cut") {
      const pages = board.flash.pages;
      if (action.after < 0) code(() => [...fetched(bytes, payload, role, opened())()]);
      const operations = action.after < 0 ? board.flash.operations - before + action.after : action.after;
      board.flash = new FlashModel(pages);
      const target = opened();
      board.flash.cutAfter(Math.max(0, operations), action.tear);
      let cut = false;
      try {
        for (const _ of fetched(bytes, payload, role, target)());
      } catch (e) {
        cut =
          e instanceof PowerCut ||
          (e as { cause?: unknown }).cause instanceof PowerCut ||
          (e as { code?: number }).code === errors.DEVICE_FAULT;
        if (!cut) must("the refusal before the cut", (e as { code?: number }).code, expected);
      }
      board.flash = new FlashModel(board.flash.pages);
      const after = board.open();
      const counters = Buffer.from(Uint8Array.from(after.counters?.() ?? []).slice(0, 28)).toString("hex");
      // what was cut after its last word is committed: a trial that has not started, or the first release
      const done = !expected && counters === sum.slice(0, 56) && (after.pending() || model.current === undefined);
      if (!cut) must("whether it is committed", done, !expected);
      if (done) model.commit(action.release, sum, firmware);
      count(cut ? (done ? "cut, and done" : "cut, and not done") : "not cut");
    } else {
      // a second object commits while the first one is at work
      let late: Generator<undefined, void> | undefined;
      const first = code(() => {
        late = fetched(bytes, payload, role, opened())() as Generator<undefined, void>;
        for (let i = 0; i <= action.after; i++) late.next();
      });
      must("the refusal of the first session", first, expected);
      const by = await releaseOf(action.by);
      const other = model.refusal(action.by, by.sum, firmware);
      must(
        "the refusal of the second session",
        code(() => [...fetched(by.envelope, by.payload, action.by.role, opened())()]),
        other,
      );
      if (!other) model.commit(action.by, by.sum, firmware);
      const going = late as Generator<undefined, void> | undefined;
      if (going && !first && !other) {
        const stopped = code(() => {
          while (!going.next().done);
        });
        must("whether the first session goes on", stopped !== 0, true);
        count("overtaken by a commit");
      }
    }
  }
}

// The requirements for a device with any storage, tested on a simulated one.

import { createHash } from "node:crypto";
import {
  DEFAULT_ALG,
  encode,
  encodeTrust,
  parseUuid,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustEntry,
} from "@firmseal/signer";
import { anchor, embeddedTrust, errors, type Identity, install, policyOf } from "@firmseal/verifier";
import { roleFloors } from "@firmseal/verifier/device/roles";
import { FirmsealError } from "@firmseal/verifier/tools";
import { Simulation } from "./simulation/simulation.js";
import { bootOn, installOn, type Release } from "./simulation/start-install.js";
import type { MakeStore, Setup, Started } from "./store.js";

/** A requirement. `run` throws an Error that describes the violation. */
export interface Requirement {
  readonly name: string;
  run(): Promise<void>;
}

/** Options of deviceContract(). */
export interface ContractOptions {
  /** The number of cuts during the recovery from each cut. Default: 8. All of them take minutes on some storages. */
  secondCuts?: number;
}

const VENDOR_UUID = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe";
const CLASS_UUID = "1492af14-2569-5e48-bf42-9b2d51f2ab45";
const IDENTITY: Identity = { vendor: [parseUuid(VENDOR_UUID)], class: [parseUuid(CLASS_UUID)] };
const SETUP: Setup = { identity: IDENTITY, components: [[Uint8Array.of(0)]], capacity: 8192, envelope: 12288, pageSize: 4096 };

/** Deterministic pseudo-random bytes, so that a failure can be reproduced. */
function makeImage(seed: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = 0; at < size; at += 32)
    out.set(
      createHash("sha256")
        .update(`${seed} ${at}`)
        .digest()
        .subarray(0, size - at),
      at,
    );
  return out;
}

const keyOf = (seed: number) => privateKey(DEFAULT_ALG, new Uint8Array(32).fill(seed));

/** Makes a release of one image, signed with a key derived from `seed`. `uri`: the URI of an external payload. */
async function makeRelease(sequence: number, seed = 1, uri?: string): Promise<Release> {
  const key = keyOf(seed);
  const bytes = makeImage(sequence, 5001);
  const facts = {
    sequence,
    vendor: VENDOR_UUID,
    class: CLASS_UUID,
    digest: createHash("sha256").update(bytes).digest("hex"),
    size: bytes.length,
  };
  const description = singleImage(uri === undefined ? { ...facts, uri: "#firmware", payload: bytes } : { ...facts, uri });
  return {
    envelope: await signEnvelopeWithoutLog(encode(description), [signer(key)]),
    trust: { anchors: [anchor(DEFAULT_ALG, key.key)] },
    payloads: new Map(uri === undefined ? [] : [[uri, bytes]]),
  };
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new FirmsealError("ERR_DEVICE", what);
}

/** The number of the refusal that `work` throws, or undefined if it succeeds. Throws other errors again. */
function refusalCode(work: () => void): number | undefined {
  try {
    work();
    return undefined;
  } catch (e) {
    const { code } = e as { code?: unknown };
    if (typeof code !== "number") throw e;
    return code;
  }
}

/** The functions of a device with trials, which others lack. */
type Trial = Started["device"] & { pending?(): boolean; rolledBack?(): boolean };

const isPending = ({ device }: Started) => (device as Trial).pending?.() === true;

/** Starts of a release on trial that are tried before the device has to go back. */
const MOST_STARTS = 100;

const RELEASE = 2;
const DEBUG = 3;
const RECOVERY = 4;

/** A policy for each role, from a trust file with one key for each. */
async function policies() {
  const names = ["root", "release", "debug", "recovery"] as const;
  const anchors = names.map((role, i): TrustEntry => ({ key: keyOf(i + 10), roles: [role] }));
  const thresholds = { root: 1, release: 1, debug: 1, recovery: 1 };
  const store = embeddedTrust(
    await signTrustWithoutLog(encodeTrust({ name: "contract", sequence: 1n, anchors, thresholds }), [signer(keyOf(10))]),
  );
  return (role: number) => policyOf(store, role, IDENTITY);
}

function noFaults(make: MakeStore, previous: Release | null, update: Release, secondCuts: number): void {
  const { faults, faultCount } = new Simulation(make, SETUP, previous, update).run(secondCuts);
  const [first] = faults;
  if (!first) return;
  const why = first.fault ?? first.stuck ?? (first.floorFell ? "the floor fell" : `${first.boots} starts`);
  throw new FirmsealError(
    "ERR_POWER_CUT",
    `${faultCount} cuts end badly; the first: ${first.what} (operation ${first.operation}, ${first.tear}): ${why}`,
  );
}

/**
 * Lists the requirements that a device must fulfil, without a test runner.
 *
 * @param make - Returns the storage of a new device.
 * @param options - How much is tried.
 * @returns The requirements. Each throws if the device violates it.
 * @example
 * ```ts
 * import { deviceContract, flashStore } from "@firmseal/simulator";
 *
 * for (const { name, run } of deviceContract((setup) => flashStore(setup), { secondCuts: 1 })) {
 *   await run();
 *   console.log(name);
 * }
 * ```
 */
export function deviceContract(make: MakeStore, { secondCuts = 8 }: ContractOptions = {}): Requirement[] {
  /** Makes the storage of a device that has run release 6: the second update after it is written over its slot. */
  const used = async (): Promise<MakeStore> => {
    const six = await makeRelease(6);
    return (setup) => {
      const machine = make(setup).power();
      installOn(machine.start(), six);
      const started = machine.start();
      bootOn(started, setup, six.trust);
      started.confirm?.();
      return machine.off();
    };
  };
  /** A device that runs release 7, and that release. */
  const installed = async () => {
    const seven = await makeRelease(7);
    const machine = make(SETUP).power();
    installOn(machine.start(), seven);
    const started = machine.start();
    const what = bootOn(started, SETUP, seven.trust);
    started.confirm?.();
    return { seven, what, store: machine.off() };
  };
  /**
   * Offers a release to a device that runs release 7. The device must refuse it with `code`, write nothing, and still
   * run release 7.
   */
  const refuses = async (offer: Release, code: number) => {
    const { seven, what, store } = await installed();
    const machine = store.power();
    const got = refusalCode(() => installOn(machine.start(), offer));
    demand(got === code, `refusal ${code} was expected, but ${got === undefined ? "it was installed" : `${got} came`}`);
    const after = bootOn(machine.off().power().start(), SETUP, seven.trust);
    demand(after === what, "something else starts afterwards");
  };
  return [
    {
      name: "a new device installs a release, starts it, and keeps its number as the floor",
      async run() {
        const { store } = await installed();
        const floor = store.power().start().device.floor();
        demand(String(floor) === "0,7", `the floor is ${floor}, not 0,7`);
      },
    },
    {
      name: "an older release is refused, and the installed release starts",
      run: async () => refuses(await makeRelease(6), errors.ROLLBACK),
    },
    {
      name: "another manifest with the number of the installed release is refused, and the installed release starts",
      run: async () => refuses(await makeRelease(7, 1, "https://example.com/app.bin"), errors.SEQUENCE_TAKEN),
    },
    {
      name: "the installed release is accepted again, and its number still belongs to it alone",
      async run() {
        const { seven, what, store } = await installed();
        const machine = store.power();
        installOn(machine.start(), seven);
        const after = machine.off().power();
        const started = after.start();
        demand(bootOn(started, SETUP, seven.trust) === what, "something else starts afterwards");
        started.confirm?.();
        const other = await makeRelease(7, 1, "https://example.com/app.bin");
        const got = refusalCode(() => installOn(after.start(), other));
        demand(got === errors.SEQUENCE_TAKEN, `refusal ${errors.SEQUENCE_TAKEN} was expected, but ${got ?? "none"} came`);
      },
    },
    {
      name: "a release signed by another key is refused, and the installed release starts",
      async run() {
        const { trust } = await makeRelease(8);
        await refuses({ ...(await makeRelease(8, 2)), trust }, errors.SIGNATURE_INVALID);
      },
    },
    {
      name: "an image that fails its check: nothing that reads the storage later finds it, and the installed release starts",
      async run() {
        const { seven, what, store } = await installed();
        const eight = await makeRelease(8, 1, "https://example.com/app.bin");
        const wrong = makeImage(99, 5001);
        const machine = store.power();
        const got = refusalCode(() =>
          installOn(machine.start(), { ...eight, payloads: new Map([["https://example.com/app.bin", wrong]]) }),
        );
        demand(got === errors.IMAGE_MISMATCH, `refusal ${errors.IMAGE_MISMATCH} was expected, but ${got ?? "none"} came`);
        const beginning = Buffer.from(wrong.subarray(0, 32));
        for (const bytes of machine.off().content())
          demand(!Buffer.from(bytes).includes(beginning), "the beginning of the refused image is still there");
        demand(bootOn(machine.off().power().start(), SETUP, seven.trust) === what, "something else starts afterwards");
      },
    },
    {
      name: "a release on trial: nothing is installed over it, and without a confirmation the device goes back and keeps the floor",
      async run() {
        const { seven, what, store } = await installed();
        const [eight, nine] = [await makeRelease(8), await makeRelease(9)];
        const machine = store.power();
        installOn(machine.start(), eight);
        let started = machine.start();
        const updated = bootOn(started, SETUP, eight.trust);
        demand(updated !== what, "the update does not start");
        // without trials there is nothing to confirm
        if (!isPending(started)) return;
        const refused = refusalCode(() => installOn(machine.start(), nine));
        demand(refused === errors.UNCONFIRMED, `refusal ${errors.UNCONFIRMED} was expected, but ${refused ?? "none"} came`);
        let starts = 0;
        do {
          demand(++starts < MOST_STARTS, `the device does not go back in ${MOST_STARTS} starts`);
          started = machine.start();
        } while (bootOn(started, SETUP, eight.trust) === updated);
        const back = machine.off().power();
        for (let i = 0; i < 3; i++)
          demand(bootOn(back.start(), SETUP, seven.trust) === what, "it does not go back to the previous release");
        const floor = back.start().device.floor();
        demand(String(floor) === "0,8", `the floor is ${floor} afterwards, not 0,8`);
        const older = refusalCode(() => installOn(back.start(), seven));
        demand(older === errors.ROLLBACK, `refusal ${errors.ROLLBACK} was expected, but ${older ?? "none"} came`);
        installOn(back.start(), nine);
        demand(bootOn(back.start(), SETUP, nine.trust) !== what, "the next release does not start");
      },
    },
    {
      name: "a release that is confirmed stays, in whichever of its starts that was",
      async run() {
        const eight = await makeRelease(8);
        for (let before = 0; before < 8; before++) {
          const { store } = await installed();
          const machine = store.power();
          installOn(machine.start(), eight);
          let started = machine.start();
          const updated = bootOn(started, SETUP, eight.trust);
          if (!isPending(started)) return;
          for (let i = 0; i < before; i++) {
            started = machine.start();
            // this was the last try of the time before
            if (bootOn(started, SETUP, eight.trust) !== updated) return;
          }
          started.confirm?.();
          for (let i = 0; i < 10; i++)
            demand(bootOn(machine.start(), SETUP, eight.trust) === updated, `it goes back although start ${before + 1} confirmed it`);
        }
      },
    },
    {
      name: "a second object of the device commits: the first one writes nothing more",
      async run() {
        const { store } = await installed();
        const [eight, nine] = [await makeRelease(8, 1, "https://example.com/8.bin"), await makeRelease(9)];
        const bytes = [...eight.payloads.values()][0] as Uint8Array;
        for (const done of [0, 1024, 4096, bytes.length]) {
          const machine = store.power();
          const [first, second] = [machine.start(), machine.start()];
          const late = (first.verifier ?? { install }).install(eight.envelope, eight.trust, first.device) as {
            next(outcome?: Uint8Array | boolean): unknown;
          };
          late.next();
          for (let at = 0; at < done; at += 1024) late.next(bytes.subarray(at, Math.min(at + 1024, done)));
          installOn(second, nine);
          const expected = bootOn(machine.start(), SETUP, nine.trust);
          refusalCode(() => {
            if (done < bytes.length) late.next(bytes.subarray(done));
            late.next(true);
          });
          const after = machine.off().power().start();
          demand(bootOn(after, SETUP, nine.trust) === expected, "something else starts afterwards");
          demand(String(after.device.floor()) === "0,9", `the floor is ${after.device.floor()} afterwards, not 0,9`);
        }
      },
    },
    {
      name: "a floor for each role: kept through releases of other roles and a way back, or nothing is committed",
      async run() {
        const policy = await policies();
        const machine = make(SETUP).power();
        const start = () => {
          const started = machine.start();
          return { ...started, device: roleFloors(started.device) };
        };
        const put = async (sequence: number, role: number) => {
          const release = { ...(await makeRelease(sequence, role + 9)), trust: policy(role) };
          return refusalCode(() => installOn(start(), release));
        };
        /** Starts in the role of the current release, and returns that role. */
        const role = () => {
          const started = start();
          const current = started.device.currentRole();
          bootOn(started, SETUP, policy(current));
          return { started, current };
        };
        // a micro verifier has no trust files
        if (machine.start().verifier) return;
        for (const [sequence, of] of [
          [100, RELEASE],
          [7, RECOVERY],
          [102, RELEASE],
        ] as const) {
          const refused = await put(sequence, of);
          // no room for the floors of all roles
          if (refused === errors.STORAGE_FULL) return;
          demand(refused === undefined, `release ${sequence} of role ${of} is refused with ${refused}`);
          const { started, current } = role();
          demand(current === of, `the role of release ${sequence} is ${current}, not ${of}`);
          started.confirm?.();
        }
        if ((await put(5, DEBUG)) === errors.STORAGE_FULL) return;
        let { started, current } = role();
        const tries = isPending(started);
        for (let i = 0; i < MOST_STARTS && isPending(started); i++) ({ started, current } = role());
        demand(current === (tries ? RELEASE : DEBUG), `the role is ${current} after release 5 of role ${DEBUG}`);
        const floors = [RELEASE, DEBUG, RECOVERY].map((of) => String(start().device.floor(of)));
        demand(floors.join(" ") === "0,102 0,5 0,7", `the floors are ${floors.join(" ")}, not 0,102 0,5 0,7`);
        for (const [sequence, of] of [
          [101, RELEASE],
          [4, DEBUG],
          [6, RECOVERY],
        ] as const) {
          const refused = await put(sequence, of);
          demand(
            refused === errors.ROLLBACK,
            `release ${sequence} of role ${of}: refusal ${errors.ROLLBACK} was expected, but ${refused ?? "none"} came`,
          );
        }
      },
    },
    {
      name: "the first release: after each power cut, nothing starts, or all of it",
      run: async () => noFaults(make, null, await makeRelease(7), secondCuts),
    },
    {
      name: "an update from the envelope: after each power cut, the old or the new release starts",
      run: async () => noFaults(await used(), await makeRelease(7), await makeRelease(8), secondCuts),
    },
    {
      name: "a fetched update: after each power cut, the old or the new release starts",
      run: async () => noFaults(await used(), await makeRelease(7), await makeRelease(8, 1, "https://example.com/app.bin"), secondCuts),
    },
  ];
}

// The requirements for a device with any storage, tested on a simulated one.

import { createHash } from "node:crypto";
import { DEFAULT_ALG, encode, parseUuid, privateKey, signEnvelope, signer, singleImage } from "@firmseal/signer";
import { anchor, errors, type Identity } from "@firmseal/verifier";
import { Simulation } from "./simulation/simulation.js";
import { bootOn, installOn, type Release } from "./simulation/start-install.js";
import type { MakeStore, Setup } from "./store.js";

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

/** Makes a release of one image, signed with a key derived from `seed`. `uri`: the URI of an external payload. */
async function makeRelease(sequence: number, seed = 1, uri?: string): Promise<Release> {
  const key = privateKey(DEFAULT_ALG, new Uint8Array(32).fill(seed));
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
    envelope: await signEnvelope(encode(description), [signer(key)]),
    trust: { anchors: [anchor(DEFAULT_ALG, key.key)] },
    payloads: new Map(uri === undefined ? [] : [[uri, bytes]]),
  };
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
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

function noFaults(make: MakeStore, previous: Release | null, update: Release, secondCuts: number): void {
  const { faults, faultCount } = new Simulation(make, SETUP, previous, update).run(secondCuts);
  const [first] = faults;
  if (!first) return;
  const why = first.fault ?? first.stuck ?? (first.floorFell ? "the floor fell" : `${first.boots} starts`);
  throw new Error(`${faultCount} cuts end badly; the first: ${first.what} (operation ${first.operation}, ${first.tear}): ${why}`);
}

/** Returns the requirements, for devices with the storage that `make` returns. */
export function deviceContract(make: MakeStore, { secondCuts = 8 }: ContractOptions = {}): Requirement[] {
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
      name: "the first release: after each power cut, nothing starts, or all of it",
      run: async () => noFaults(make, null, await makeRelease(7), secondCuts),
    },
    {
      name: "an update from the envelope: after each power cut, the old or the new release starts",
      run: async () => noFaults(make, await makeRelease(7), await makeRelease(8), secondCuts),
    },
    {
      name: "a fetched update: after each power cut, the old or the new release starts",
      run: async () => noFaults(make, await makeRelease(7), await makeRelease(8, 1, "https://example.com/app.bin"), secondCuts),
    },
  ];
}

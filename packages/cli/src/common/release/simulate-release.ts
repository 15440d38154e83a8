// Simulates a release on a device, for the commands that show how it survives power cuts.

import { runInThisContext } from "node:vm";
import { playable } from "@firmseal/bundler";
import { byteWords, grouped, inputName, notice, type ProgressBar, progress, usage } from "@firmseal/keys/internal";
import {
  deviceKinds,
  identityOf,
  manifestParameters,
  payloadFiles,
  payloadsBeside,
  readEnvelopeFile,
  readSource,
  reasoned,
  type TrustedKeys,
  type TrustOptions,
  withFileName,
  withoutPayload,
} from "@firmseal/release/internal";
import { inWords, suggestion } from "@firmseal/signer";
import {
  type BootlessCode,
  DEVICES,
  type MakeStore,
  nodeHost,
  PREVIOUS_SIZE,
  type Release,
  type SimulatedDevice,
  simulate as simulateOn,
  Unsimulated,
} from "@firmseal/simulator";
import { type Identity, type Manifest, open, type Trust } from "@firmseal/verifier";
import { decodeEnvelope, PARAM_IMAGE_SIZE, toHex } from "@firmseal/verifier/tools";
import { versionIfAny } from "../words.js";

export interface SimulateCommandOptions extends TrustOptions {
  device: string;
  without?: string;
  vendor?: string;
  class?: string;
  payload?: string[];
  previousRelease?: string;
  previousPayload?: string[];
  pageSize?: number;
  secondCuts?: number;
  json?: boolean;
}

/** A given release, and what its manifest says. */
interface GivenRelease {
  release: Release;
  manifest: Manifest;
  /** Bytes that a slot must hold for it. */
  largest: number;
}

function opened(path: string, envelope: Uint8Array, trust: Trust): Manifest {
  try {
    return reasoned(envelope, () => open(envelope, trust, nodeHost));
  } catch (e) {
    throw withFileName(inputName(path), e);
  }
}

function readGivenRelease(path: string, envelope: Uint8Array, payloads: readonly string[], trust: Trust): GivenRelease {
  const manifest = opened(path, envelope, trust);
  const named = payloadsBeside(path, manifest, payloadFiles(manifest, payloads));
  const files = [...named].map(([uri, file]) => [uri, readSource(file)] as const);
  const sizes = manifestParameters(manifest).map((p) => (p.code === PARAM_IMAGE_SIZE && typeof p.value === "number" ? p.value : 0));
  const largest = [...sizes, ...files.map(([, f]) => f.length)].reduce((most, n) => Math.max(most, n), envelope.length);
  return { release: { envelope, trust, payloads: new Map(files) }, manifest, largest };
}

/** Simulated flash is in memory, more than twice what it holds. */
const LARGEST = 64 * 1024 * 1024;

const LARGEST_PAGE = 1024 * 1024;
const DEFAULT_PAGE_SIZE = 4096;

/** So many cuts take about a minute. More are announced. */
const MANY = 10_000_000;

/** The device: the options name it, or it is the only one that the update names. */
function identityFor(m: Parameters<typeof deviceKinds>[0], o: SimulateCommandOptions): Identity {
  const named = deviceKinds(m).map((k) => k.identity);
  const device = named.flatMap((i) => i.device ?? []).filter((id) => id.length > 0);
  if (o.vendor !== undefined && o.class !== undefined) {
    const id = identityOf(o.vendor, o.class);
    return { vendor: [id.vendor], class: [id.class], device };
  }
  const distinct = new Set(named.map((i) => [...i.vendor, ...i.class].map((b) => toHex(b)).join(" ")));
  const only = named[0];
  if (o.vendor !== undefined || o.class !== undefined || distinct.size > 1 || !only)
    throw usage(
      "the update is for several devices, or only a part of the identity is given",
      "name the device: --vendor VENDOR --class CLASS",
    );
  return { vendor: only.vendor, class: only.class, device };
}

/** Returns the error of a simulation, with advice that fits the update. */
function fault(e: unknown, update: Manifest): unknown {
  if (e instanceof RangeError) return usage(e.message, "give the previous release: --previous-release ENVELOPE");
  return e instanceof Unsimulated && e.step === "update" ? new Unsimulated(e.step, withoutPayload(e.cause, update)) : e;
}

/** Names of devices, in words. */
const devicesThat = (wanted: (device: SimulatedDevice) => unknown) =>
  inWords(Object.entries(DEVICES).flatMap(([name, device]) => (wanted(device) ? [name] : [])));

/** The device of `bundle --micro --device storage --without boot`, with the code of that bundle. */
function withoutBoot({ bootless }: SimulatedDevice, o: SimulateCommandOptions): MakeStore {
  if (!bootless)
    throw usage(
      `--without boot: ${o.device} starts what boot() verifies`,
      `drop it, or choose --device ${devicesThat((one) => one.bootless)}`,
    );
  const code: BootlessCode = runInThisContext(playable({ algs: [], features: ["storage"], micro: [], without: ["boot"] }));
  return (setup) => bootless(setup, code);
}

/** Simulates with `o.device`. */
export async function simulateRelease(path: string, whom: TrustedKeys, o: SimulateCommandOptions) {
  const known = DEVICES[o.device];
  const names = Object.keys(DEVICES);
  if (!Object.hasOwn(DEVICES, o.device) || !known)
    throw usage(`--device ${o.device}: unknown device${suggestion(o.device, names)}`, `one of ${names.join(", ")}`);
  const make = o.without === undefined ? known.make : withoutBoot(known, o);
  if (o.pageSize !== undefined && !known.hasPages)
    throw usage(`--page-size: ${o.device} has no pages`, `drop it, or simulate ${devicesThat((one) => one.hasPages)}`);
  const pageSize = o.pageSize ?? DEFAULT_PAGE_SIZE;
  if (pageSize < 256 || pageSize > LARGEST_PAGE || pageSize % 4 !== 0)
    throw usage(`--page-size ${pageSize} is not the size of a page`, `a multiple of 4 from 256 to ${LARGEST_PAGE}, for example 4096`);
  if (o.previousPayload && o.previousRelease === undefined)
    throw usage("--previous-payload: --previous-release is missing", "give --previous-release ENVELOPE too");
  const envelope = readEnvelopeFile(path);
  const trust = whom.policy(whom.scoped ? identityFor(decodeEnvelope(envelope).manifest, o) : { vendor: [], class: [] });
  const update = readGivenRelease(path, envelope, o.payload ?? [], trust);
  const { previousRelease } = o;
  const before =
    previousRelease === undefined
      ? undefined
      : readGivenRelease(previousRelease, readEnvelopeFile(previousRelease), o.previousPayload ?? [], trust);
  const largest = Math.max(update.largest, before?.largest ?? 0, PREVIOUS_SIZE);
  if (largest > LARGEST)
    throw usage("the update is too large to simulate", `at most ${byteWords(LARGEST)}; try the manifest with a smaller image`);
  if (known.room !== undefined)
    notice(
      `Storage has room for ${known.room} releases of ${byteWords(largest)} here; STORAGE_FULL (99) after a cut means that cuts have filled it, until it is compacted`,
    );
  let bar: ProgressBar | undefined;
  const { report, setup, sequences } = await simulateOn(make, update.release, identityFor(update.manifest, o), {
    ...(before && { previous: before.release }),
    capacity: largest,
    pageSize,
    ...(o.secondCuts !== undefined && { secondCuts: o.secondCuts }),
    progress(done, total) {
      if (!bar && total * (o.secondCuts ?? total) > MANY)
        notice(`${grouped(total)} cuts, and about as many again during the recovery from each: --second-cuts 100 would be faster`);
      bar ??= progress("cutting the power", total);
      bar.at(done);
    },
  }).catch((e) => {
    throw fault(e, update.manifest);
  });
  bar?.end();
  const facts = {
    device: o.device,
    ...(o.without !== undefined && { without: o.without }),
    ...versionIfAny(envelope),
    sequence: String(sequences.update),
    previous: { sequence: sequences.previous === null ? null : String(sequences.previous), madeUp: before === undefined },
    pageSize,
    slotSize: setup.capacity,
  };
  return { report, facts };
}

// The files that statuses speak of: a status has the name and number of a trust file, and the digest of a release. A
// fleet file names files.

import { refusedInput } from "@firmseal/keys/internal";
import { trustName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { decodeEnvelope, equalBytes, formatSequence, toHex } from "@firmseal/verifier/tools";
import { type FleetMembers, movedName } from "../rotation/fleet-write.js";
import type { PlannedStep } from "../rotation/plan/steps.js";
import { readTrustFile } from "../trust/read.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import type { DeviceStatus } from "./status.js";

interface KnownList {
  readonly file: string;
  readonly store: TrustStore;
}

const listKey = (name: string, sequence: string) => JSON.stringify([name, sequence]);

/** Finds trust files and releases by what a status says about them. Names are relative to the fleet file `out`. */
export class KnownFiles {
  private readonly lists = new Map<string, KnownList>();
  private readonly byFile = new Map<string, TrustStore>();
  private readonly releases = new Map<string, string>();
  private readonly read = new Set<string>();

  constructor(private readonly out: string) {}

  /** The trust files, each once. */
  get stores(): TrustStore[] {
    return [...this.lists.values()].map(({ store }) => store);
  }

  /** Throws a Failure if another trust file has the same name and number: a status does not say which one it means. */
  addTrust(path: string): void {
    const file = movedName(path, "./-", this.out);
    if (this.read.has(file)) return;
    this.read.add(file);
    const { store } = readTrustFile(path);
    const key = listKey(trustName(store), formatSequence(store.sequence));
    const rival = this.lists.get(key);
    if (rival && !equalBytes(rival.store.payload, store.payload))
      throw refusedInput(
        "ERR_FLEET",
        `${path} and ${rival.file} are different trust files with one name and sequence number`,
        "a status has only the name and the number: give the one that devices have",
      );
    this.byFile.set(file, store);
    if (!rival) this.lists.set(key, { file, store });
  }

  /** A release under the name of its file. */
  addRelease(path: string, envelope: Uint8Array): void {
    const { digest } = decodeEnvelope(envelope);
    if (digest) this.releases.set(toHex(Uint8Array.from(digest.bytes)), movedName(path, "./-", this.out));
  }

  /** The files that a row of the fleet file `out` names. */
  addRow(row: FleetMembers): void {
    const { trust, release } = row;
    const path = (file: string) => movedName(file, this.out, "./-");
    if (typeof trust === "string") this.addTrust(path(trust));
    if (typeof release === "string" && !this.read.has(release)) {
      this.read.add(release);
      this.addRelease(path(release), readEnvelopeFile(path(release)));
    }
  }

  addSteps(steps: readonly PlannedStep[]): void {
    for (const step of steps) {
      if ("envelope" in step) this.addRelease(step.name, step.envelope);
      else this.addTrust(step.name);
    }
  }

  trustOf({ trust }: DeviceStatus): KnownList | undefined {
    return trust ? this.lists.get(listKey(trust.name, trust.sequence)) : undefined;
  }

  releaseOf({ manifest }: DeviceStatus): string | undefined {
    return manifest ? this.releases.get(manifest.digest.hex) : undefined;
  }

  storeOf(file: unknown): TrustStore | undefined {
    return this.byFile.get(String(file));
  }
}

// The devices in the field, read from a fleet file: cohorts of equal devices. docs/reference/fleet.md describes the
// three formats.

import { dirname, isAbsolute, join } from "node:path";
import { type FeatureName, TARGETS } from "@firmseal/bundler";
import { grouped, openKeyFile, refusedInput, tooMuch, usage } from "@firmseal/keys/internal";
import { loadAlg, type PublicKey, suggestion } from "@firmseal/signer";
import type { Identity, Sequence } from "@firmseal/verifier";
import { equalBytes, parseSequence } from "@firmseal/verifier/tools";
import { identityOf } from "../input/identity.js";
import { LIMITS } from "../input/limits.js";
import type { Product } from "../product/file/product.js";
import { refuseOtherLine } from "../trust/chain.js";
import { readTrustFile, refuseOtherName } from "../trust/read.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { boardFinderOf, rowsWith } from "./fleet-product.js";
import { type FleetRow, fleetFault, fleetRows } from "./fleet-rows.js";
import { type Cohort, type DeviceAlg, type DeviceModel, type EmbeddedKeys, modelOf, type VerifierKind } from "./model.js";

/** Parses a validated sequence number. Returns undefined above 64 bits. */
function sequence(value: unknown): Sequence | undefined {
  const text = String(value);
  return BigInt(text) < 2n ** 64n ? parseSequence(text) : undefined;
}

/** Files only: a fleet file must not be able to name a program to run. */
async function publicKeyAt(path: string): Promise<PublicKey> {
  const { public: key } = await openKeyFile(path, {
    publicOnly: true,
    unproved: true,
    secret: () => Promise.reject(usage(`${path} is encrypted`, "name the public key in a fleet file: firmseal pubkey writes it")),
  });
  await loadAlg(key.alg);
  return key;
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? (value as string[]) : [value as string]);

/** Half a day: clocks differ, and a date without a time means the whole day. */
const AHEAD = 12 * 3600_000;

/** Reads the files that cohorts name, each once. */
class Reader {
  private readonly files = new Map<string, unknown>();
  private readonly models = new Map<string, DeviceModel>();
  private readonly identities = new Map<string, Identity>();
  private readonly names = new Set<string>();
  private readonly sequences = new Map<string, Sequence>();
  private readonly now = Date.now();

  constructor(private readonly path: string) {}

  private fault(where: string, what: string): never {
    throw fleetFault(this.path, `${where}: ${what}`);
  }

  private at(file: string): string {
    // relative to the file that names it, as in a description
    return isAbsolute(file) ? file : join(dirname(this.path), file);
  }

  private once<T>(kind: string, file: string, read: (path: string) => T): T {
    const key = `${kind} ${file}`;
    if (!this.files.has(key)) this.files.set(key, read(this.at(file)));
    return this.files.get(key) as T;
  }

  private number(row: FleetRow, member: string, value: unknown): Sequence {
    const text = String(value);
    let found = this.sequences.get(text);
    if (!found) {
      found = sequence(value);
      if (!found) this.fault(row.where, `${JSON.stringify(member)} is not a sequence number of up to 64 bits`);
      if (this.sequences.size < LIMITS.fleetStates) this.sequences.set(text, found);
    }
    return found;
  }

  private date(where: string, member: string, value: string | undefined): void {
    if (value === undefined) return;
    const at = Date.parse(value);
    if (Number.isNaN(at)) this.fault(where, `"${member}" is not a date`);
    if (at > this.now + AHEAD) this.fault(where, `"${member}" is in the future: ${value}`);
  }

  private identity(where: string, vendors: readonly string[], classes: readonly string[]): Identity {
    const key = JSON.stringify([vendors, classes]);
    const known = this.identities.get(key);
    if (known) return known;
    const out: Identity = { vendor: [], class: [] };
    const add = (ids: ArrayLike<number>[], id: Uint8Array) => {
      if (!ids.some((other) => equalBytes(other, id))) ids.push(id);
    };
    try {
      // the name of a class means one class for each vendor
      for (const vendor of vendors)
        for (const name of classes) {
          const id = identityOf(vendor, name);
          add(out.vendor, id.vendor);
          add(out.class, id.class);
        }
    } catch (e) {
      this.fault(where, (e as Error).message);
    }
    this.identities.set(key, out);
    return out;
  }

  private async embedded({ value, where }: FleetRow): Promise<EmbeddedKeys> {
    const keys: PublicKey[] = [];
    for (const file of value["keys"] as string[]) {
      const key = await this.once("key", file, publicKeyAt);
      if (keys.some((other) => equalBytes(other.key, key.key))) this.fault(where, `"keys" names one key twice: ${file}`);
      keys.push(key);
    }
    const threshold = (value["threshold"] as number | undefined) ?? 1;
    if (threshold > keys.length) this.fault(where, `"threshold" is ${threshold}, and "keys" has ${keys.length}`);
    return { keys, threshold };
  }

  /** Refuses what a micro verifier cannot have. */
  private refuseForMicro({ value, where }: FleetRow): void {
    if (value["trust"] !== undefined) this.fault(where, 'the row has "trust", and a micro verifier reads no trust file: give its "keys"');
    if (value["features"] !== undefined) this.fault(where, 'the row has "features", and a micro verifier has none: drop it');
    if (((value["keys"] as unknown[] | undefined)?.length ?? 0) > 4)
      this.fault(where, '"keys" has more than 4, the most of a micro verifier');
    if (((value["threshold"] as number | undefined) ?? 1) > 2) this.fault(where, '"threshold" is above 2, the most of a micro verifier');
  }

  private async model(row: FleetRow): Promise<DeviceModel> {
    const { value, where } = row;
    const key = JSON.stringify([
      value["trust"],
      value["keys"],
      value["threshold"],
      value["vendor"],
      value["class"],
      value["algorithms"],
      value["features"],
      value["verifier"],
      value["engine"],
      value["start"],
      value["release"],
    ]);
    const known = this.models.get(key);
    if (known) return known;
    if (this.models.size === LIMITS.fleetStates)
      throw tooMuch(
        `${this.path}: more than ${grouped(LIMITS.fleetStates)} kinds of device`,
        "devices are of one kind if all but name, devices and floors is the same: plan for a part of the fleet at a time",
      );
    const identity = this.identity(where, listOf(value["vendor"]), listOf(value["class"]));
    const engine = value["engine"] as string | undefined;
    const engines = Object.keys(TARGETS);
    if (engine !== undefined && !engines.includes(engine))
      this.fault(where, `"engine" is not one of ${engines.join(", ")}${suggestion(engine, engines)}`);
    if (value["verifier"] === "micro") this.refuseForMicro(row);
    const common = {
      identity,
      verifier: (value["verifier"] as VerifierKind | undefined) ?? "general",
      engine: engine ?? null,
      start: (value["start"] as DeviceModel["start"] | undefined) ?? "release",
      release: value["release"] === undefined ? null : this.once("release", value["release"] as string, readEnvelopeFile),
      ...(value["algorithms"] !== undefined && { algorithms: value["algorithms"] as DeviceAlg[] }),
      ...(value["features"] !== undefined && { features: value["features"] as FeatureName[] }),
    };
    let made: DeviceModel;
    if (value["trust"] !== undefined) {
      if (common.features && !common.features.includes("trust"))
        this.fault(where, 'the row has "trust", and "features" without it: such a verifier reads no trust file, so give its "keys"');
      const trust = this.once("trust", value["trust"] as string, readTrustFile);
      if (common.features && !common.features.includes("families") && trust.store.families.length > 0)
        this.fault(
          where,
          'the row has "trust" with families of algorithms, and "features" without "families": such a verifier does not read it',
        );
      made = modelOf({ ...common, trust });
    } else {
      const embedded = await this.embedded(row);
      made = modelOf({ algorithms: embedded.keys.map(({ alg }) => alg), ...common, embedded });
    }
    this.models.set(key, made);
    return made;
  }

  async cohort(row: FleetRow): Promise<Cohort> {
    const { value, where } = row;
    const name = value["name"] as string;
    if (this.names.has(name)) throw fleetFault(this.path, `two cohorts have the name ${name}`);
    this.names.add(name);
    for (const member of ["seen", "since"] as const) this.date(where, member, value[member] as string | undefined);
    const floor = this.number(row, "floor", value["floor"]);
    const floors = (value["floors"] ?? {}) as { debug?: unknown; recovery?: unknown };
    // a floor of its own is another one even if it has the same number: a release does not raise it
    const other = (role: "debug" | "recovery"): Sequence =>
      floors[role] === undefined ? floor : [...this.number(row, `floors.${role}`, floors[role])];
    return {
      name,
      devices: (value["devices"] as number | undefined) ?? 1,
      model: await this.model(row),
      floor,
      floors: value["floors"] === undefined ? { debug: floor, recovery: floor } : { debug: other("debug"), recovery: other("recovery") },
    };
  }
}

/**
 * The cohorts of rows, with the files that they name, which are relative to the fleet file `path`. Throws as
 * readFleet() does.
 */
export async function cohortsOf(path: string, rows: Iterable<FleetRow>, product?: Product): Promise<Cohort[]> {
  const reader = new Reader(path);
  const resolved = rowsWith(path, product);
  const all: Cohort[] = [];
  for (const row of rows) all.push(await reader.cohort(resolved(row)));
  if (all.length === 0) throw refusedInput("ERR_FLEET", `${path} has no cohort`, "see docs/reference/fleet.md for the fleet file format");
  return all;
}

/** Refuses devices of a product whose trust file is not of the line of the product's. */
function refuseOtherLines(product: Product, fleet: readonly Cohort[]): void {
  if (product.trust.file === undefined) return;
  const own = readTrustFile(product.trust.file);
  refuseOtherName(own.path, own.store, product.trust.name);
  const boardOf = boardFinderOf(product);
  for (const { trust, identity } of new Set(fleet.map(({ model }) => model)))
    if (trust && boardOf(identity)) refuseOtherLine(trust.path, trust.store, own);
}

/**
 * Reads a fleet file and the files that it names.
 *
 * @param path - The fleet file, JSON or CSV.
 * @param product - The product whose boards and versions its rows may name. Default: none.
 * @returns The cohorts, for planSteps().
 * @throws Failure: FLEET if it is not a fleet file, LIMIT if it is too large, or the refusal of a file that it names.
 */
export async function readFleet(path: string, product?: Product): Promise<Cohort[]> {
  const fleet = await cohortsOf(path, fleetRows(path), product);
  if (product) refuseOtherLines(product, fleet);
  return fleet;
}

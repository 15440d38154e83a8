import * as fs from "node:fs";
import { join } from "node:path";
import { classUuid, parseUuid, vendorUuid } from "@firmseal/signer";
import { install as startInstall, open } from "@firmseal/verifier";
import { createFileDevice, decimal, type FileDevice, fileDevice } from "@firmseal/verifier/device/file";
import { payloadFiles } from "../audit.js";
import { environment, failureOf, systemFault, usage } from "../failure.js";
import { host, readSource } from "../io.js";
import { anchors, keyFacts, publicKeys, warnOfTestKeys } from "../key-ref.js";
import { type PassphraseOptions, passphraseOptions } from "../options.js";
import { json, say, visible } from "../ui.js";

export interface InstallOptions extends PassphraseOptions {
  key: string[];
  device: string;
  need: number;
  vendor?: string;
  class?: string;
  payload?: string[];
  json?: boolean;
}

/** A slot of the simulated device holds what a large image needs. */
const CAPACITY = 1024 ** 4;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The device in the folder. On the first use it is made, with the identity given; afterwards it has one for good. */
function deviceIn(o: InstallOptions): { device: FileDevice; made: boolean } {
  const exists = fs.existsSync(join(o.device, "device.json"));
  const given = o.vendor !== undefined || o.class !== undefined;
  if (exists && given) throw usage(`${o.device}: has an identity already`, "drop --vendor and --class, or name another folder");
  if (!exists) {
    if (o.vendor === undefined || o.class === undefined)
      throw environment(`${o.device}: has no identity yet`, "on the first use say what device it is: --vendor example.com --class board-v2");
    const vendor = UUID.test(o.vendor) ? parseUuid(o.vendor) : vendorUuid(o.vendor);
    createFileDevice(fs, o.device, { vendor: [vendor], class: [UUID.test(o.class) ? parseUuid(o.class) : classUuid(vendor, o.class)] }, CAPACITY);
  }
  return { device: fileDevice(fs, o.device), made: !exists };
}

/** Installs an envelope on the simulated A/B device in a folder. */
export async function install(path: string, o: InstallOptions): Promise<void> {
  const keys = await publicKeys(o.key, passphraseOptions(o));
  const testKeys = warnOfTestKeys(keys);
  const envelope = readSource(path);
  const trust = { anchors: anchors(keys), need: o.need };
  const existed = fs.existsSync(o.device);
  let device: FileDevice;
  let made: boolean;
  try {
    ({ device, made } = deviceIn(o));
  } catch (e) {
    const known = failureOf(e);
    throw known.reason === "INTERNAL" ? (systemFault(e, o.device) ?? environment(`${o.device}: ${(e as Error).message}`, "name another folder, or remove this one")) : known;
  }
  try {
    const files = (o.payload ?? []).length > 0 ? payloadFiles(open(envelope, trust, host), o.payload ?? []) : new Map<string, string>();
    for (const [uri, file] of files) device.payloads[uri] = readSource(file);
    const progress = startInstall(envelope, trust, device, host);
    if (progress.next()) progress.next(false);
    const { sequence } = progress.manifest;
    const record = device.record;
    const shown = Object.entries(record.components).map(([name, c]) => ({ component: name, slot: c.slot === 0 ? "a" : "b", size: c.size }));
    if (o.json) {
      json({ ok: true, code: 0, reason: "OK", sequence: decimal(sequence), floor: record.floor, components: shown, signers: progress.manifest.signers.map((i) => keyFacts(keys[i] as never)), testKeys });
      return;
    }
    say(`${visible(path)}: installed, sequence number ${decimal(sequence)}`);
    for (const c of shown) say(`  component ${c.component}: slot ${c.slot}, ${c.size} bytes`);
  } catch (e) {
    // a device that never held anything is not left behind by a refusal
    if (made) {
      fs.rmSync(join(o.device, "device.json"), { force: true });
      fs.rmSync(join(o.device, "slots"), { recursive: true, force: true });
      if (!existed) fs.rmSync(o.device, { recursive: true, force: true });
    }
    throw e;
  }
}

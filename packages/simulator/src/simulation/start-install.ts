// What a simulated device does between two power cuts: it starts, and it installs a release.

import { createHash } from "node:crypto";
import { type Bytes, type Device, boot as generalBoot, install as generalInstall, type Source, type Trust } from "@firmseal/verifier";
import { componentName } from "@firmseal/verifier/device/file";
import { formatSequence } from "@firmseal/verifier/tools";
import { nodeHost } from "../host.js";
import type { Setup, Started, Verifier } from "../store.js";

/** A release, the trust policy for it, and its external payloads. */
export interface Release {
  envelope: Uint8Array;
  trust: Trust;
  payloads: ReadonlyMap<string, Source | Bytes>;
}

const GENERAL: Verifier = { install: generalInstall, boot: generalBoot };

const PAYLOAD_CHUNK = 1024;
/** The digest of what is stored is taken by the simulation, not by the device: in large pieces. */
const DIGEST_CHUNK = 64 * 1024;

/** A Source that returns bytes in chunks, like flash or a network. */
function chunked(bytes: Uint8Array, chunk = PAYLOAD_CHUNK): Source {
  return { length: bytes.length, chunk, read: (offset, n) => bytes.slice(offset, offset + n) };
}

function storedDigest(device: Device, id: Parameters<Device["size"]>[0], fresh: boolean): string {
  const hash = createHash("sha256");
  const size = device.size(id, fresh);
  for (let at = 0; at < size; at += DIGEST_CHUNK) {
    const bytes = device.read(id, at, Math.min(DIGEST_CHUNK, size - at), fresh);
    hash.update(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes));
  }
  return size === 0 ? "empty" : hash.digest("hex");
}

/**
 * Starts a device and describes what runs: the release, the image in each component, and the invoked bytes. Throws if
 * nothing starts.
 */
export function bootOn(started: Started, setup: Setup, trust: Trust): string {
  const { device, envelope } = started;
  if (!envelope) throw new Error("nothing is installed");
  const invoked: string[] = [];
  const loaded = new Set<string>();
  const { invoke, erase } = device;
  device.erase = (id, most) => {
    loaded.add(componentName(id));
    erase.call(device, id, most);
  };
  device.invoke = (id, args) => {
    const name = componentName(id);
    invoked.push(`${name} ${storedDigest(device, id, loaded.has(name))}`);
    return invoke.call(device, id, args);
  };
  const { boot } = started.verifier ?? GENERAL;
  const progress = boot(envelope, trust, device, nodeHost);
  if (progress.next()) progress.next(false);
  const images = setup.components.map((id) => `${componentName(id)} ${storedDigest(device, id, false)}`);
  return JSON.stringify([formatSequence(progress.manifest.sequence), images, invoked]);
}

export function installOn(started: Started, release: Release): void {
  const { device } = started;
  device.fetch = (uri) => {
    const payload = release.payloads.get(uri);
    return payload && "read" in payload
      ? payload
      : payload && chunked(payload instanceof Uint8Array ? payload : Uint8Array.from(payload), device.chunk);
  };
  const envelope = chunked(release.envelope, device.chunk);
  const { install } = started.verifier ?? GENERAL;
  const progress = install(started.receive?.(envelope, release.trust) ?? envelope, release.trust, device, nodeHost);
  if (progress.next()) progress.next(false);
}

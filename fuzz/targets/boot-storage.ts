// A device in Espruino's Storage whose content is anything: a genuine state with changes in its flash, or in its
// records, which are then sealed again; or flash in which no write takes. Whatever the content is, the boot file and
// the device end with nothing worse than numbered refusals. What starts was signed. A newer release can be installed,
// or is refused with a number that is not the device's fault.

import { createHash } from "node:crypto";
import { errors } from "@firmseal/verifier";
import { type StartedApp, storageBoot, storageDevice } from "@firmseal/verifier/device/storage";
import { FlashModel } from "../../packages/simulator/src/storage-models/flash-model.js";
import { erasedFlash, type Pages } from "../../packages/simulator/src/storage-models/flash-operations.js";
import { powerOn, StorageModel, storageIo } from "../../packages/simulator/src/storage-models/storage-model.js";
import { patched, patches } from "../common/patch.js";
import { ID, IMAGES, installed, RELEASES, received, started, who } from "../common/release.js";
import { Finding, refusal, type Target } from "../common/verdict.js";

const PAGE = 1024;
const TRIES = 2;

class Counted extends FlashModel {
  private budget = 50_000;
  override read(address: number, n: number): Uint8Array {
    if (this.budget-- === 0) throw new Finding("50,000 reads, and no end");
    return super.read(address, n);
  }
}

const latin1 = (list: ArrayLike<number>) => Buffer.from(Array.from(list)).toString("latin1");
const genuine = new Set(IMAGES.map(latin1));

function deviceOn(flash: FlashModel) {
  const io = { ...storageIo(powerOn(flash).storage), page: PAGE };
  const device = storageDevice(io, who, [ID], 512, TRIES);
  const invoked = () => {
    const text = device.invoked.at(-1);
    return text === undefined ? undefined : Buffer.from(text, "latin1");
  };
  return { io, device, invoked };
}

function states(): Pages[] {
  const out: Pages[] = [erasedFlash(12, PAGE)];
  for (const release of RELEASES.slice(0, 2)) {
    let flash = new FlashModel(out.at(-1) as Pages);
    installed(deviceOn(flash).device, release);
    out.push(flash.pages);
    flash = new FlashModel(flash.pages);
    const root: { firmsealApp?: StartedApp } = {};
    storageBoot(deviceOn(flash).io, root);
    out.push(flash.pages);
    root.firmsealApp?.confirm();
    out.push(flash.pages);
  }
  return out;
}

const all = states();
const RECORDS = ["firmseal.r0", "firmseal.r1"] as const;

const at = (n: number) => [n >> 8, n & 255];
export const seeds = () =>
  all.flatMap((_, i) => [
    Uint8Array.of(i),
    Uint8Array.of(64 + i),
    ...[0, 1].flatMap((record) =>
      Array.from({ length: 24 }, (__, word) => Uint8Array.of(128 + 64 * record + i, ...at(2 + 4 * word), 4, 255, 255, 255, 255)),
    ),
  ]);

/** The flash with changes in the text of a record, whose check value fits. */
function resealed(pages: Pages, name: string, input: Uint8Array): Pages {
  const storage = new StorageModel(new FlashModel(pages));
  const text = storage.read(name);
  if (!text) return pages;
  const parts = text.charCodeAt(3);
  const body = 16 + 80 * parts;
  const changed = Buffer.from(patched(Buffer.from(text, "latin1"), patches(input)));
  createHash("sha256").update(changed.subarray(0, body)).digest().copy(changed, body, 0, 8);
  const flat = Buffer.concat(pages);
  const where = flat.indexOf(text, 0, "latin1");
  changed.copy(flat, where);
  return cut(flat);
}

const cut = (flat: Uint8Array): Pages => Array.from({ length: flat.length / PAGE }, (_, i) => flat.slice(i * PAGE, (i + 1) * PAGE));

/**
 * Changes only what is stored: if a bit in free flash is wrong, the firmware itself erases all of Storage, sooner or
 * later.
 */
function changed(state: Pages, input: Uint8Array): Pages {
  const flat = Buffer.concat(state);
  return cut(patched(flat, patches(input)).map((b, i) => (flat[i] === 255 ? 255 : b)));
}

export const fuzz: Target = (input) => {
  const [first = 0] = input;
  const state = all[(first & 63) % all.length] as Pages;
  const pages = first & 128 ? resealed(state, RECORDS[(first >> 6) & 1] as string, input.subarray(1)) : changed(state, input.subarray(1));
  const flash = new Counted(pages);
  const one = deviceOn(flash);
  // worn flash: a write has no effect
  if ((first & 192) === 64) one.io.storage.write = () => true;
  const root: { firmsealApp?: StartedApp } = {};
  refusal(() => {
    // an attacker who can write to Storage can write another app, with a record that has its digest: see the threat
    // model
    storageBoot(one.io, root);
  });
  started(one.device, one.invoked);
  refusal(() => root.firmsealApp?.confirm());
  refusal(() => one.device.confirm());
  const two = deviceOn(flash);
  const newer = RELEASES[2] as Uint8Array;
  const refused = refusal(() => received(two.device, newer, newer.length)) || installed(two.device, two.device.received());
  // A state that can be read and blocks every update is a brick. If files are not as Storage has written them, this
  // does not hold.
  if (refused === errors.DEVICE_FAULT && first & 128) throw new Finding("a newer release is refused as the device's fault");
  if (refused !== 0) return;
  let text = "";
  const code = refusal(() => {
    text = storageBoot(deviceOn(flash).io, {});
  });
  // a record that was made up and sealed may send the device to files that are not there; chance and power cuts do not
  // seal
  if (first & 128) return;
  if (code !== 0 || text !== latin1(IMAGES[2] as number[]))
    throw new Finding(`an update was installed and does not start (${code}): ${genuine.has(text) ? "an older one does" : "nothing"}`);
};

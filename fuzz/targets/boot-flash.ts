// A device on raw flash whose content is anything: a genuine state with changes in it, whose records are sealed again
// where the input says so. Whatever the content is, the device can be made, started, updated and started again, with
// nothing worse than numbered refusals, in a bounded number of operations. What starts was signed. After a successful
// update, the update starts.

import { errors } from "@firmseal/verifier";
import { flashDevice } from "@firmseal/verifier/device/flash";
import { layoutOf } from "../../packages/simulator/src/devices/flash.js";
import { FlashModel } from "../../packages/simulator/src/storage-models/flash-model.js";
import { erasedFlash, type Pages } from "../../packages/simulator/src/storage-models/flash-operations.js";
import { COUNTED, type FlashRecord, newestFlashRecord, recordSize, sealOf } from "../../packages/verifier/src/device/flash-record.js";
import { patched, patches } from "../common/patch.js";
import { ID, IMAGES, installed, RELEASES, received, started, who } from "../common/release.js";
import { Finding, refusal, type Target } from "../common/verdict.js";

const PAGE = 512;
const setup = { identity: who, components: [ID], capacity: PAGE, envelope: 2 * PAGE, pageSize: PAGE };
const layout = layoutOf(setup);
const AREAS = 2;
const SIZE = recordSize(AREAS, COUNTED);

function deviceOn(flash: FlashModel) {
  let what: Uint8Array | undefined;
  const device = flashDevice(flash, who, layout, (_id, _args, address, size) => {
    what = flash.read(address, size);
    return true;
  });
  return { device, invoked: () => what };
}

/** Each operation of the flash is counted: an endless loop shows here. */
class Counted extends FlashModel {
  private budget = 20_000;
  private countOne(): void {
    if (this.budget-- === 0) throw new Finding("20,000 operations, and no end");
  }
  override read(address: number, n: number): Uint8Array {
    this.countOne();
    return super.read(address, n);
  }
  override erase(address: number): void {
    this.countOne();
    super.erase(address);
  }
}

function genuine(): Pages[] {
  const out: Pages[] = [erasedFlash(8 + 2, PAGE)];
  let flash = new FlashModel(out[0] as Pages);
  for (const release of RELEASES.slice(0, 2)) {
    installed(deviceOn(flash).device, release);
    out.push(flash.pages);
    flash = new FlashModel(flash.pages);
    const { device, invoked } = deviceOn(flash);
    started(device, invoked);
    out.push(flash.pages);
    device.confirm();
    out.push(flash.pages);
    flash = new FlashModel(flash.pages);
  }
  return out;
}

const states = genuine();

/** First octet: which state, and from 128 on records are sealed again. */
export const seeds = () =>
  states.flatMap((_, i) => [
    Uint8Array.of(i),
    // the records are last: counters, floor, sizes and the journal
    ...Array.from({ length: 36 }, (__, word) =>
      Uint8Array.of(128 + i, ...at((layout.records[word % 2] as number) + 4 * (word >> 1)), 4, 255, 255, 255, 255),
    ),
  ]);
const at = (n: number) => [n >> 8, n & 255];

function reseal(flat: Uint8Array): void {
  for (const page of layout.records) flat.set(sealOf(flat.subarray(page, page + SIZE - 4)) as Uint8Array, page + SIZE - 4);
}

export const fuzz: Target = (input) => {
  const [first = 0] = input;
  const state = states[(first & 127) % states.length] as Pages;
  const flat = patched(Buffer.concat(state), patches(input.subarray(1)));
  if (first & 128) reseal(flat);
  const flash = new Counted(Array.from({ length: flat.length / PAGE }, (_, i) => flat.slice(i * PAGE, (i + 1) * PAGE)));
  const before: FlashRecord | null = newestFlashRecord(flash, layout.records);
  const { device, invoked } = deviceOn(flash);
  started(device, invoked);
  device.confirm();
  const newer = RELEASES[2] as Uint8Array;
  const refused =
    refusal(() => {
      received(device, newer.subarray(0, 100), newer.length);
      received(device, newer.subarray(100), newer.length);
    }) || installed(device, device.received());
  // a state that can be read and blocks every update is a brick
  if (refused === errors.DEVICE_FAULT) throw new Finding("a newer release is refused as the device's fault");
  if (refused !== 0) return;
  const next = deviceOn(new FlashModel(flash.pages));
  const code = started(next.device, next.invoked);
  if (code !== 0 || Buffer.compare(Buffer.from(next.invoked() ?? []), Buffer.from(IMAGES[2] as number[])) !== 0)
    throw new Finding(`an update was installed and does not start (${code}), generation ${before?.generation}`);
};

// Strangers send packets to a device that keeps what it receives: on raw flash and in Espruino's Storage. An input is a
// list of packets: how many octets (1), what length they claim (3), what they are. Whatever the device
// says to them, a genuine release that comes after them is installed, and no page is erased for them.

import { flashDevice } from "@firmseal/verifier/device/flash";
import { storageDevice } from "@firmseal/verifier/device/storage";
import { layoutOf } from "../../packages/simulator/src/devices/flash.js";
import { FlashModel } from "../../packages/simulator/src/storage-models/flash-model.js";
import { erasedFlash } from "../../packages/simulator/src/storage-models/flash-operations.js";
import { powerOn, storageIo } from "../../packages/simulator/src/storage-models/storage-model.js";
import { ID, installed, RELEASES, received, who } from "../common/release.js";
import { Finding, type Target } from "../common/verdict.js";

const PAGE = 1024;
const release = RELEASES[0] as Uint8Array;

interface Packet {
  length: number;
  bytes: Uint8Array;
}

function packets(input: Uint8Array): Packet[] {
  const out: Packet[] = [];
  for (let i = 0; i + 4 <= input.length; ) {
    const [n = 0, a = 0, b = 0, c = 0] = input.subarray(i, i + 4);
    out.push({ length: (a << 16) + (b << 8) + c, bytes: input.subarray(i + 4, i + 4 + n) });
    i += 4 + n;
  }
  return out.slice(0, 50);
}

const packet = (length: number, bytes: Uint8Array) =>
  Buffer.concat([Uint8Array.of(bytes.length, length >> 16, (length >> 8) & 255, length & 255), bytes]);

export const seeds = () => [
  new Uint8Array(0),
  packet(8000, Uint8Array.of(0xd8)),
  packet(1 << 20, Uint8Array.of(0)),
  packet(release.length, release.subarray(0, 200)),
  Buffer.concat(Array.from({ length: 20 }, () => packet(700, Uint8Array.of(0xd8, 0x6b, 0xa2, 2)))),
];

interface Subject {
  device: ReturnType<typeof storageDevice> | ReturnType<typeof flashDevice>;
  flash: FlashModel;
}

function onFlash(): Subject {
  const setup = { identity: who, components: [ID], capacity: PAGE, envelope: PAGE, pageSize: PAGE };
  const flash = new FlashModel(erasedFlash(6, PAGE));
  return { device: flashDevice(flash, who, layoutOf(setup), () => true), flash };
}

function onStorage(): Subject {
  const flash = new FlashModel(erasedFlash(16, PAGE));
  return { device: storageDevice({ ...storageIo(powerOn(flash).storage), page: PAGE }, who, [ID], PAGE, 2), flash };
}

/** A call of a device does what it says or throws: what it throws reaches the application. Whether it went well. */
function went(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (e) {
    if (e instanceof Error) return false;
    throw e;
  }
}

export const fuzz: Target = (input) => {
  const list = packets(input);
  for (const make of [onFlash, onStorage]) {
    const { device, flash } = make();
    for (const { bytes, length } of list) {
      went(() => received(device, bytes, length));
      // now and then, an application tries what it has
      if (length % 2 && went(() => device.received())) installed(device, device.received());
    }
    const erased = flash.log.filter((o) => o.op === "erase").length;
    if (erased > 0) throw new Finding(`${make.name}: strangers had pages erased`);
    // what has arrived is dropped when the next one begins
    went(() => device.received());
    const code = went(() => received(device, release, release.length)) ? installed(device, device.received()) : -1;
    if (code !== 0) throw new Finding(`${make.name}: after packets of strangers a genuine release is refused with ${code}`);
  }
};

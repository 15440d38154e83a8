// Devices on the flash model, and device/flash.ts of the verifier as the first of them.

import { componentName } from "@firmseal/verifier/device/file";
import { type FlashLayout, flashDevice } from "@firmseal/verifier/device/flash";
import { type ChosenCut, chosenFlashCuts, LeftPages } from "../storage-models/chosen-flash-cuts.js";
import { FlashModel } from "../storage-models/flash-model.js";
import {
  applyOperation,
  carryOut,
  erasedFlash,
  FLASH_TEARS,
  type FlashOperation,
  type FlashTear,
  type Pages,
  WORD,
} from "../storage-models/flash-operations.js";
import { SharedPages } from "../storage-models/shared-pages.js";
import { type Cut, type Machine, type Setup, type Started, type Store, slotName, type Verifier } from "../store.js";
import { startedTrial } from "./trial.js";

/** A device on flash: how to switch it on, and the purpose of the bytes at an address. */
export interface FlashKind {
  start(flash: FlashModel): Started;
  where(address: number): string;
  /** What a reader finds (see `Store`). Default: all of the flash. */
  content?(flash: FlashModel): Iterable<Uint8Array>;
}

/** The ways in which an operation can be cut. A single word has no half. */
function tearsOf(step: FlashOperation): readonly FlashTear[] {
  return step.op === "write" && step.bytes.length === WORD ? TEARS_OF_WORD : FLASH_TEARS;
}

const TEARS_OF_WORD = FLASH_TEARS.filter((tear) => tear !== "words");

/** Cuts that are chosen of a course, and what their operations do in words. */
interface Chosen {
  readonly chosen: readonly number[];
  readonly cuts: readonly ChosenCut[];
  readonly what: readonly string[];
}

class FlashMachine implements Machine {
  private readonly flash: FlashModel;
  /** The cuts that were chosen last: the same for each store that takes this course. */
  private some: Chosen | undefined;
  private readonly counted = { operations: 0, cuts: 0 };

  constructor(
    private readonly kind: FlashKind,
    pages: Pages,
    private readonly shared: SharedPages,
  ) {
    this.flash = new FlashModel(pages, shared);
  }

  start(): Started {
    return this.kind.start(this.flash);
  }

  *cuts(from: Store): Iterable<Cut> {
    const pages = [...(from as FlashStore).pages];
    for (const [operation, step] of this.flash.log.entries()) {
      const what = `${step.op} ${this.kind.where(step.address)}`;
      for (const tear of tearsOf(step))
        yield { operation, what, tear, left: () => new FlashStore(this.kind, applyOperation(pages, step, tear, this.shared), this.shared) };
      carryOut(pages, step, "whole", this.shared);
    }
  }

  private choose(chosen: readonly number[]): Chosen {
    const cuts = chosenFlashCuts(this.flash.log, tearsOf, chosen, this.flash.pageSize, this.shared);
    return { chosen, cuts, what: cuts.map(({ step }) => `${step.op} ${this.kind.where(step.address)}`) };
  }

  *someCuts(from: Store, chosen: readonly number[]): Iterable<Cut> {
    const { shared } = this;
    if (this.some?.chosen.join() !== chosen.join()) this.some = this.choose(chosen);
    const { cuts, what } = this.some;
    for (const [i, cut] of cuts.entries()) {
      const { operation, tear } = cut;
      const left = () => new FlashStore(this.kind, new LeftPages(cut, (from as FlashStore).pages, shared), shared);
      yield { operation, what: what[i] as string, tear, left };
    }
  }

  cutCount(): number {
    const { log } = this.flash;
    for (; this.counted.operations < log.length; this.counted.operations++)
      this.counted.cuts += tearsOf(log[this.counted.operations] as FlashOperation).length;
    return this.counted.cuts;
  }

  sameCourse(from: Store): boolean {
    return this.flash.agrees((from as FlashStore).left);
  }

  off(): Store {
    return new FlashStore(this.kind, this.flash.pages, this.shared);
  }
}

/**
 * What a flash device keeps without power, and the device that starts from it. `kind`: which device. `left`: the pages.
 */
export class FlashStore implements Store {
  constructor(
    private readonly kind: FlashKind,
    readonly left: Pages | LeftPages,
    private readonly shared = new SharedPages(),
  ) {}

  get pages(): Pages {
    return this.left instanceof LeftPages ? this.left.whole() : this.left;
  }

  power(): Machine {
    return new FlashMachine(this.kind, this.pages, this.shared);
  }

  content(): Iterable<Uint8Array> {
    return this.kind.content?.(new FlashModel(this.pages)) ?? [Buffer.concat(this.pages)];
  }
}

/**
 * Computes the layout of a device on flash.
 *
 * @param setup - What the device must have room for.
 * @returns The layout: the slots from address 0, then the envelopes, then two pages for records.
 */
export function layoutOf(setup: Setup): FlashLayout {
  let at = 0;
  const area = (size: number): [number, number] => {
    at += 2 * size;
    return [at - 2 * size, at - size];
  };
  return {
    components: setup.components.map((id) => ({ id, slots: area(setup.capacity), size: setup.capacity })),
    envelopes: { slots: area(setup.envelope), size: setup.envelope },
    records: area(setup.pageSize),
    tries: 3,
  };
}

/** The code of a device, such as that of a bundle. */
export interface FlashCode {
  flashDevice: typeof flashDevice;
  verifier?: Verifier;
}

/** Options of the stores of devices that can receive an envelope in pieces. */
export interface StoreOptions<Code> {
  /** Whether the envelope is streamed to flash and read from there. Otherwise it is in RAM and is stored at the end. */
  receiving?: boolean;
  /** Another verifier, and its device. */
  code?: Code;
}

/**
 * Makes the store of device/flash.ts.
 *
 * @param setup - What the device must have room for.
 * @param options - How the envelope arrives, and another verifier.
 * @returns The store.
 */
export function flashStore(setup: Setup, { receiving = true, code = { flashDevice } }: StoreOptions<FlashCode> = {}): Store {
  const layout = layoutOf(setup);
  const areas = [
    ...layout.components.map((c) => ({ ...c, name: componentName(c.id) })),
    { ...layout.envelopes, name: "the envelope" },
    { slots: layout.records, size: setup.pageSize, name: "the records" },
  ];
  const where = (address: number) => {
    for (const { slots, size, name } of areas)
      for (const [i, slot] of slots.entries()) if (address >= slot && address < slot + size) return slotName(i, name);
    return "nothing";
  };
  const start = (flash: FlashModel): Started => {
    const device = code.flashDevice(flash, setup.identity, layout, () => true);
    return startedTrial(device, receiving, code.verifier);
  };
  const pages = (2 * (setup.components.length * setup.capacity + setup.envelope + setup.pageSize)) / setup.pageSize;
  return new FlashStore({ start, where }, erasedFlash(pages, setup.pageSize));
}

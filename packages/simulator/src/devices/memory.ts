// device/memory.ts, as if its slots, its floor and the current slot survived a power cut. Each change of them is
// atomic.

import type { Bytes, ComponentId, Sequence } from "@firmseal/verifier";
import { componentName } from "@firmseal/verifier/device/file";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import { equalBytes } from "@firmseal/verifier/tools";
import { type Cut, type Machine, type Setup, type Started, type Store, slotName } from "../store.js";

/** The bytes written to a slot, in order. Kept in pieces, because most states are never started. */
type Pieces = readonly (readonly number[])[];

interface MemoryState {
  slots: readonly (readonly [Pieces, Pieces])[];
  current: readonly number[];
  sequence: Sequence;
  counted: Bytes | null;
  envelope: Bytes | null;
}

/** An operation and its effect on a state, up to the point of `tear`. */
interface Operation {
  what: string;
  apply(state: MemoryState, tear: MemoryTear): MemoryState;
}

const MEMORY_TEARS = ["nothing", "half", "whole"] as const;

type MemoryTear = (typeof MEMORY_TEARS)[number];

function withSlot(state: MemoryState, part: number, slot: number, content: Pieces): MemoryState {
  const pair = [...(state.slots[part] as MemoryState["slots"][number])] as [Pieces, Pieces];
  pair[slot] = content;
  return { ...state, slots: state.slots.map((s, i) => (i === part ? pair : s)) };
}

class MemoryMachine implements Machine {
  private readonly log: Operation[] = [];
  private readonly erased = new Set<string>();
  private device: MemoryDevice | undefined;

  constructor(
    private readonly setup: Setup,
    private readonly from: MemoryState,
  ) {}

  private state(): MemoryState {
    const { device } = this;
    if (!device) return this.from;
    return {
      slots: device.parts.map((p) => [[[...(p.slots[0] as number[])]], [[...(p.slots[1] as number[])]]] as const),
      current: device.parts.map((p) => p.current),
      sequence: device.sequence,
      counted: device.counted,
      envelope: device.envelope,
    };
  }

  start(): Started {
    const { setup } = this;
    const before = this.state();
    const device = memoryDevice(setup.identity, [...setup.components], setup.capacity);
    for (const [i, p] of device.parts.entries()) {
      p.slots = (before.slots[i] as MemoryState["slots"][number]).map((s) => s.flat());
      p.current = before.current[i] as number;
    }
    device.sequence = before.sequence;
    device.counted = before.counted;
    device.envelope = before.envelope;
    const { erase, write, persist, read } = device;
    const target = (id: ComponentId) => {
      const part = setup.components.findIndex((c) => componentName(c) === componentName(id));
      return { part, slot: 1 - (device.parts[part]?.current as number) };
    };
    const note = (
      verb: string,
      id: ComponentId,
      apply: (state: MemoryState, tear: MemoryTear, part: number, slot: number) => MemoryState,
    ) => {
      if (!device.installing) return;
      const { part, slot } = target(id);
      this.log.push({
        what: `${verb} ${slotName(slot, componentName(id))}`,
        apply: (state, tear) => (tear === "nothing" ? state : apply(state, tear, part, slot)),
      });
    };
    device.erase = (id, most) => {
      const { part, slot } = target(id);
      // erasing memory is one step: half of it is nothing
      note("erase", id, (state, tear) => (tear === "half" ? state : withSlot(state, part, slot, [])));
      if (device.installing) this.erased.add(`${part} ${slot}`);
      erase(id, most);
    };
    device.write = (id, offset, bytes) => {
      const kept = Array.from(bytes);
      note("write", id, (state, tear, part, slot) => {
        const now = state.slots[part]?.[slot] as Pieces;
        return withSlot(state, part, slot, [...now, tear === "half" ? kept.slice(0, kept.length / 2) : kept]);
      });
      write(id, offset, bytes);
    };
    device.read = (id, offset, n, fresh) => {
      const { part, slot } = target(id);
      // data that is not current is read only if this start has erased it: sameCourse() relies on it
      if (fresh && device.installing && !this.erased.has(`${part} ${slot}`)) throw new Error("read before it was erased");
      return read(id, offset, n, fresh);
    };
    device.persist = (commit) => {
      const envelope = device.kept;
      const parts = commit.written.map((id) => target(id).part);
      this.log.push({
        what: "commit",
        // one step: half of it is nothing
        apply: (state, tear) =>
          tear !== "whole"
            ? state
            : {
                ...state,
                sequence: commit.sequence,
                counted: commit.counters,
                envelope,
                current: state.current.map((c, i) => (parts.includes(i) ? 1 - c : c)),
              },
      });
      persist(commit);
    };
    this.device = device;
    return { device, envelope: device.envelope };
  }

  *cuts(from: Store): Iterable<Cut> {
    let { state: now } = from as MemoryStore;
    for (const [operation, step] of this.log.entries()) {
      const state = now;
      for (const tear of MEMORY_TEARS)
        yield { operation, what: step.what, tear, left: () => new MemoryStore(this.setup, step.apply(state, tear)) };
      now = step.apply(state, "whole");
    }
  }

  cutCount(): number {
    return this.log.length * MEMORY_TEARS.length;
  }

  sameCourse(from: Store): boolean {
    const { state } = from as MemoryStore;
    const mine = this.from;
    const same = (a: Pieces = [], b: Pieces = []) => a === b || Buffer.from(a.flat()).equals(Buffer.from(b.flat()));
    return (
      equalBytes(state.envelope ?? [], mine.envelope ?? []) &&
      String(state.sequence) === String(mine.sequence) &&
      equalBytes(state.counted ?? [], mine.counted ?? []) &&
      String(state.current) === String(mine.current) &&
      state.current.every((slot, i) => same(state.slots[i]?.[slot], mine.slots[i]?.[slot]))
    );
  }

  off(): Store {
    return new MemoryStore(this.setup, this.state());
  }
}

class MemoryStore implements Store {
  constructor(
    private readonly setup: Setup,
    readonly state: MemoryState,
  ) {}

  power(): Machine {
    return new MemoryMachine(this.setup, this.state);
  }

  content(): Iterable<Uint8Array> {
    return this.state.slots.flat().map((pieces) => Uint8Array.from(pieces.flat()));
  }
}

export function memoryStore(setup: Setup): Store {
  const none = setup.components.map(() => [[], []] as const);
  return new MemoryStore(setup, { slots: none, current: none.map(() => 0), sequence: [0, 0], counted: null, envelope: null });
}

// A fleet as it is: many devices in few states. What a device does follows from its state and from what it is offered,
// so one device in a state is asked once, and its answer holds for all. Some devices are carried beside: they do
// everything themselves, and must agree.

import type { ClassName, Cut, Device } from "../../test-support/src/rotation-world.js";

/** All that can change in a device, as text: what is stored, byte by byte. */
function textOf({ name, kept, memory }: Device): string {
  const { parts, sequence, counted, envelope } = memory;
  const bytes = (list: ArrayLike<number> | null) => list && Buffer.from(list).toString("latin1");
  const slots = parts.map((part) => [part.current, ...part.slots.map(bytes)]);
  return JSON.stringify([name, bytes(kept), sequence, counted && Array.from(counted), bytes(envelope), slots]);
}

interface Answer {
  readonly done: boolean;
  readonly next: State;
  /** Numbers of its refusals. */
  readonly refused: readonly number[];
  readonly cuts: number;
}

/** A state, with a device in it that nobody changes. */
interface State {
  readonly device: Device;
  readonly text: string;
  /** By what was offered, and how. */
  readonly answers: Map<Uint8Array, Map<string, Answer>>;
}

export class States {
  private readonly known = new Map<string, State>();
  /** How often a device was asked, and how often its answer was known. */
  asked = 0;
  remembered = 0;

  of(device: Device): State {
    const text = textOf(device);
    let state = this.known.get(text);
    if (!state) {
      state = { device: device.twin(), text, answers: new Map() };
      this.known.set(text, state);
    }
    return state;
  }

  get count(): number {
    return this.known.size;
  }

  answer(state: State, offered: Uint8Array, how: string, offer: (d: Device) => boolean): Answer {
    let answers = state.answers.get(offered);
    if (!answers) {
      answers = new Map();
      state.answers.set(offered, answers);
    }
    let answer = answers.get(how);
    if (answer) this.remembered++;
    else {
      this.asked++;
      const device = state.device.twin();
      const done = offer(device);
      answer = { done, next: this.of(device), refused: device.refused, cuts: device.cuts };
      answers.set(how, answer);
    }
    return answer;
  }
}

/** One device of the fleet. */
export class Member {
  private state: State;
  readonly refused: number[] = [];
  cuts = 0;

  /** `beside`: the same device, which does all that this one does. */
  constructor(
    private readonly states: States,
    device: Device,
    readonly beside?: Device,
  ) {
    this.state = states.of(device);
  }

  /** A device in its state. Nobody may change it. */
  get device(): Device {
    return this.state.device;
  }

  get name(): ClassName {
    return this.state.device.name;
  }

  get memory(): Device["memory"] {
    return this.state.device.memory;
  }

  dryRun(envelope: Uint8Array, cut: Cut = "none"): boolean {
    return this.take(envelope, cut, (d) => d.dryRun(envelope, cut));
  }

  offerTrust(bytes: Uint8Array): boolean {
    return this.take(bytes, "trust", (d) => d.offerTrust(bytes));
  }

  private take(offered: Uint8Array, how: string, offer: (d: Device) => boolean): boolean {
    const { done, next, refused, cuts } = this.states.answer(this.state, offered, how, offer);
    this.state = next;
    this.refused.push(...refused);
    this.cuts += cuts;
    if (this.beside) {
      const before = this.beside.refused.length;
      const really = offer(this.beside);
      const codes = this.beside.refused.slice(before);
      const isSame = really === done && `${codes}` === `${refused}` && this.beside.cuts === this.cuts;
      if (!isSame || textOf(this.beside) !== next.text)
        throw new Error(`a device answered ${really} ${codes}, and one in its state ${done} ${refused}`);
    }
    return done;
  }
}

// Every command that the interpreter executes on a device. The interpreter counts its commands, and says so just before
// each: that is where it is watched. Nothing of the verifier is changed for it.

import { actionOf, actionWords, componentWords, exactArgument, explainManifest, type Interpreter, refusedWords } from "@firmseal/behaviour";
import {
  compareSequence,
  type Effect,
  errors,
  type Identity,
  identityChecked,
  type Manifest,
  type Run,
  start,
  step,
} from "@firmseal/verifier";
import { componentName as fileName } from "@firmseal/verifier/device/file";
import {
  COMMAND_NAMES,
  COND_ABORT,
  fromHex,
  MAN_INVOKE,
  MANIFEST_NAMES,
  PARAMETER_NAMES,
  parseSequence,
  readItem,
  refusalOf,
  toHex,
} from "@firmseal/verifier/tools";
import type { DeviceSettings, Trace, TraceStep } from "../protocol.js";
import { TEXTS } from "../texts.js";
import type { Main } from "./main-file.js";
import type { Opened } from "./release.js";
import { Sentence } from "./sentence.js";
import { sourceOf } from "./tree.js";

/** Text of a parameter that is shown. */
const SHOWN = 64;

const WRITES: readonly string[] = ["fetch", "write", "copy", "swap"];

export function settingsIdentity({ vendor, class: name, device }: DeviceSettings): Identity {
  const part = (hex: string) => {
    const plain = hex.replaceAll("-", "").trim();
    if (!/^([0-9a-f]{2})*$/i.test(plain)) throw new Sentence(TEXTS.badIdentity);
    return plain === "" ? [] : [fromHex(plain)];
  };
  return { vendor: part(vendor), class: part(name), device: part(device) };
}

/** The lowest sequence number that the device accepts. */
function floorOf(text: string): [number, number] {
  try {
    return parseSequence(text.trim()) as [number, number];
  } catch {
    throw new Sentence(TEXTS.badFloor);
  }
}

/** A step while it is watched. `checked`: identifiers that were checked before it. */
interface Watched {
  step: Noted;
  checked: number;
  effect: boolean;
}

/**
 * A step with the offsets of its argument and of the parameters. The reader is busy with the run, and reads them later.
 */
type Noted = Omit<TraceStep, "at" | "end" | "parameters"> & {
  argument: number;
  code: number;
  offsets: { readonly [code: number]: number };
};

class Watch {
  private noted: Noted[] = [];
  private last: Watched | undefined;
  private during: TraceStep["during"] = "start";
  private readonly source;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly manifest: Manifest,
    private readonly shift: number,
  ) {
    this.source = sourceOf(bytes);
  }

  /** The interpreter, watched. */
  interpreter(): Interpreter {
    return {
      identityChecked,
      start: (manifest, sections, identity) => {
        this.during = sections.includes(MAN_INVOKE) ? "start" : "install";
        // a device rehearses first; what counts is the last run of each phase, which is the refused one if there is one
        this.noted = this.noted.filter(({ during }) => during !== this.during);
        this.last = undefined;
        const run = start(manifest, sections, identity);
        let count = 0;
        Object.defineProperty(run, "commands", {
          get: () => count,
          set: (n: number) => {
            count = n;
            this.command(run);
          },
        });
        return run;
      },
      step: (run, outcome) => {
        if (this.last?.effect && outcome === false) this.last.step.failed = true;
        try {
          const effect = step(run, outcome);
          if (effect) this.effect(effect);
          else this.settle(run, false);
          return effect;
        } catch (e) {
          this.settle(run, true);
          throw e;
        }
      },
    };
  }

  /** Before a command is executed. */
  private command(run: Run): void {
    this.settle(run, false);
    const frame = run.frames.at(-1) as Run["frames"][number];
    const component = frame.turns[frame.turn] as number;
    const section = run.sections[(run.begun - 1) >> 1] as number;
    const name = COMMAND_NAMES[frame.command] ?? String(frame.command);
    const step: Noted = {
      during: this.during,
      section: MANIFEST_NAMES[section] ?? String(section),
      command: name,
      component,
      componentName: componentWords((this.manifest.components[component] ?? []).map(toHex)),
      storeName: fileName(this.manifest.components[component] ?? []),
      depth: run.frames.length,
      argument: frame.arg,
      code: frame.command,
      offsets: { ...run.parameters[component] },
      writes: false,
      failed: false,
    };
    this.noted.push(step);
    this.last = { step, checked: run.checked.length, effect: false };
  }

  /** The steps of a run that has ended. */
  steps(): TraceStep[] {
    return this.noted.map(({ argument, code, offsets, ...step }) => ({
      ...step,
      at: this.commandAt(argument, code),
      end: readItem(this.source, argument - this.shift).end,
      parameters: this.parameters(offsets),
    }));
  }

  /** Where a command begins: its number is before its argument, and below 24 or in two bytes. */
  private commandAt(argument: number, code: number): number {
    return argument - this.shift - (code < 24 ? 1 : 2);
  }

  /**
   * After a command without an effect: only conditions on identifiers can fail, and they are remembered if they hold.
   */
  private settle(run: Run, failed: boolean): void {
    const { last } = this;
    if (!last || last.effect) return;
    if (failed || last.step.code === COND_ABORT || (IDENTITY.has(last.step.code) && run.checked.length <= last.checked))
      last.step.failed = true;
    this.last = undefined;
  }

  private effect(e: Effect): void {
    const { last } = this;
    if (!last) return;
    last.effect = true;
    const action = actionOf(this.manifest, e);
    const components = this.manifest.components.map((id) => id.map(toHex));
    if (action) last.step.action = actionWords(action, components);
    last.step.writes = action !== undefined && WRITES.includes(action.what);
  }

  private parameters(offsets: { readonly [code: number]: number }): [string, string][] {
    return Object.entries(offsets).map(([code, at]) => [PARAMETER_NAMES[Number(code)] ?? code, this.value(at - this.shift)]);
  }

  private value(at: number): string {
    const item = readItem(this.source, at);
    const content = this.bytes.subarray(item.body, item.end);
    switch (item.kind) {
      case "unsigned":
      case "negative":
        return String(exactArgument(item));
      case "simple":
        return item.value === 21 ? "true" : "false";
      case "text":
        return new TextDecoder().decode(content).slice(0, SHOWN);
      default: {
        const hex = toHex(this.bytes.subarray(item.kind === "bytes" ? item.body : item.at, item.end));
        return hex.length > SHOWN ? `${hex.slice(0, SHOWN)}…` : hex;
      }
    }
  }
}

const IDENTITY = new Set(
  Object.entries(COMMAND_NAMES).flatMap(([code, name]) => (/^condition-(vendor|class|device)-identifier$/.test(name) ? Number(code) : [])),
);

/** What a device does with the release. Throws Sentence for invalid settings. */
export function traceOf({ bytes }: Main, { manifest, verified, shift }: Opened, settings: DeviceSettings): Trace {
  const identity = settingsIdentity(settings);
  const floor = floorOf(settings.floor);
  const components = manifest.components.map((id) => componentWords(id.map(toHex)));
  if (compareSequence(manifest.sequence, floor) < 0) {
    const row = refusalOf(errors.ROLLBACK);
    return { verified, steps: [], components, refused: `${row?.meaning} (${errors.ROLLBACK} ${row?.name})` };
  }
  const watch = new Watch(bytes, manifest, shift);
  const { behaviours } = explainManifest(watch.interpreter(), manifest, [{ identity, slot: settings.slot, there: settings.has }], {
    slots: true,
  });
  const refused = behaviours[0]?.refused;
  return { verified, steps: watch.steps(), components, ...(refused && { refused: `${refusedWords(refused)} ${refused.code}` }) };
}

// What tools must know of each command: what follows it in a sequence, what it makes a device do, in words, and how an
// action of a device is called. The device side decides what follows in interpreter/run.ts; a test compares both.

import * as suit from "../spec/suit.js";

/**
 * policy: a reporting policy. index: set-component-index. parameters: a map of them. sequence: one sequence.
 * alternatives: a list of sequences, or nil. other: of a code point that firmseal only skips.
 */
export type ArgumentKind = "policy" | "index" | "parameters" | "sequence" | "alternatives" | "other";

/** What devices do, as `explain` names it. */
export type ActionName = "fetch" | "write" | "copy" | "swap" | "compare" | "check-content" | "start";

/** What tools know of a command. */
export interface CommandRow {
  /** The kind of its argument. */
  argument: ArgumentKind;
  /** What it makes a device do. Commands that take parameters show what they set. */
  words?: string;
  /** The action of a device, if it needs one. */
  action?: ActionName;
}

type CommandCode = (typeof suit)[Extract<keyof typeof suit, `COND_${string}` | `DIR_${string}`>];

/** The compiler asks for the row of a new command. */
var ROWS: Record<CommandCode, CommandRow> = {
  [suit.COND_VENDOR_IDENTIFIER]: { argument: "policy", words: "the device must be of this vendor" },
  [suit.COND_CLASS_IDENTIFIER]: { argument: "policy", words: "the device must be of this class" },
  [suit.COND_IMAGE_MATCH]: { argument: "policy", words: "the image must match its digest", action: "compare" },
  [suit.COND_USE_BEFORE]: { argument: "policy" },
  [suit.COND_COMPONENT_SLOT]: { argument: "policy", words: "only for this slot" },
  [suit.COND_CHECK_CONTENT]: { argument: "policy", words: "the component must hold exactly this content", action: "check-content" },
  [suit.COND_DEPENDENCY_INTEGRITY]: { argument: "policy" },
  [suit.COND_IS_DEPENDENCY]: { argument: "policy" },
  [suit.COND_ABORT]: { argument: "policy", words: "stop" },
  [suit.COND_DEVICE_IDENTIFIER]: { argument: "policy", words: "the device must be exactly this one" },
  [suit.COND_IMAGE_NOT_MATCH]: { argument: "policy" },
  [suit.COND_MINIMUM_BATTERY]: { argument: "policy" },
  [suit.COND_UPDATE_AUTHORIZED]: { argument: "policy" },
  [suit.COND_VERSION]: { argument: "policy" },
  [suit.DIR_PROCESS_DEPENDENCY]: { argument: "policy" },
  [suit.DIR_SET_COMPONENT_INDEX]: { argument: "index" },
  [suit.DIR_TRY_EACH]: { argument: "alternatives" },
  [suit.DIR_WRITE]: { argument: "policy", words: "write the content", action: "write" },
  [suit.DIR_SET_PARAMETERS]: { argument: "parameters" },
  [suit.DIR_OVERRIDE_PARAMETERS]: { argument: "parameters" },
  [suit.DIR_FETCH]: { argument: "policy", words: "fetch the payload", action: "fetch" },
  [suit.DIR_COPY]: { argument: "policy", words: "copy the source component here", action: "copy" },
  [suit.DIR_INVOKE]: { argument: "policy", words: "start the image", action: "start" },
  [suit.DIR_WAIT]: { argument: "policy" },
  [suit.DIR_SWAP]: { argument: "policy", words: "swap with the source component", action: "swap" },
  [suit.DIR_RUN_SEQUENCE]: { argument: "sequence", words: "run" },
  [suit.DIR_UNLINK]: { argument: "policy" },
  [suit.DIR_OVERRIDE_MULTIPLE]: { argument: "other" },
  [suit.DIR_COPY_PARAMS]: { argument: "other" },
};

/** Command code → its row. A code without a row is not a command. */
export var COMMAND_ROWS: { [code: number]: CommandRow | undefined } = ROWS;

// What follows each command in a sequence, for tools that show, write or search commands. The device side decides this
// in interpreter/run.ts; a test compares both.

import * as suit from "../spec/suit.js";

/**
 * policy: a reporting policy. index: set-component-index. parameters: a map of them. sequence: one sequence.
 * alternatives: a list of sequences, or nil. other: of a code point that firmseal only skips.
 */
export type ArgumentKind = "policy" | "index" | "parameters" | "sequence" | "alternatives" | "other";

type CommandCode = (typeof suit)[Extract<keyof typeof suit, `COND_${string}` | `DIR_${string}`>];

/** The compiler asks for the row of a new command. */
var KINDS: Record<CommandCode, ArgumentKind> = {
  [suit.COND_VENDOR_IDENTIFIER]: "policy",
  [suit.COND_CLASS_IDENTIFIER]: "policy",
  [suit.COND_IMAGE_MATCH]: "policy",
  [suit.COND_USE_BEFORE]: "policy",
  [suit.COND_COMPONENT_SLOT]: "policy",
  [suit.COND_CHECK_CONTENT]: "policy",
  [suit.COND_DEPENDENCY_INTEGRITY]: "policy",
  [suit.COND_IS_DEPENDENCY]: "policy",
  [suit.COND_ABORT]: "policy",
  [suit.COND_DEVICE_IDENTIFIER]: "policy",
  [suit.COND_IMAGE_NOT_MATCH]: "policy",
  [suit.COND_MINIMUM_BATTERY]: "policy",
  [suit.COND_UPDATE_AUTHORIZED]: "policy",
  [suit.COND_VERSION]: "policy",
  [suit.DIR_PROCESS_DEPENDENCY]: "policy",
  [suit.DIR_SET_COMPONENT_INDEX]: "index",
  [suit.DIR_TRY_EACH]: "alternatives",
  [suit.DIR_WRITE]: "policy",
  [suit.DIR_SET_PARAMETERS]: "parameters",
  [suit.DIR_OVERRIDE_PARAMETERS]: "parameters",
  [suit.DIR_FETCH]: "policy",
  [suit.DIR_COPY]: "policy",
  [suit.DIR_INVOKE]: "policy",
  [suit.DIR_WAIT]: "policy",
  [suit.DIR_SWAP]: "policy",
  [suit.DIR_RUN_SEQUENCE]: "sequence",
  [suit.DIR_UNLINK]: "policy",
  [suit.DIR_OVERRIDE_MULTIPLE]: "other",
  [suit.DIR_COPY_PARAMS]: "other",
};

/** Command code → what follows it. A code without an entry is not a command. */
export var COMMAND_ARGUMENTS: { [code: number]: ArgumentKind } = KINDS;

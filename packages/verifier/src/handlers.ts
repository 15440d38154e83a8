// The table of commands: code → what it does to the run.

import { same } from "./bytes.js";
import { array, between, bool, bstr, int, map, peekType, type Reader, SIMPLE, skip, UINT, uint } from "./cbor.js";
import { isCondition, value } from "./commands.js";
import { HAS_COPY } from "./features.js";
import { alternative, barrier, type Effect, type Frame, fail, frame, type Run } from "./frame.js";
import { refuse } from "./refuse.js";
import {
  ABORTED,
  CLASS_MISMATCH,
  DEVICE_MISMATCH,
  PARAMETER_MISSING,
  SOFT_FAILURE_SCOPE,
  STRICT_ORDER,
  VENDOR_MISMATCH,
} from "./spec/errors.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
} from "./spec/suit.js";
import type { Bytes } from "./types.js";

type Handler = (run: Run, frame: Frame, component: number) => void;

/** A reader on the manifest, from `at` on. Where an item ends has been seen before. */
function from(run: Run, at: number): Reader {
  return between(run.manifest.r, at, run.manifest.r.end);
}

/** Puts what the parameter `name` of a component holds into the field of `e`. False where it is not set. */
function set(run: Run, e: Effect, field: string, name: number, component: number): boolean {
  var at = run.parameters[component][name];
  if (at) (e as unknown as { [field: string]: unknown })[field] = value(from(run, at), name);
  return !!at;
}

/** A vendor, class or device identifier: the parameter has the number of the condition. */
function identify(run: Run, f: Frame, component: number): void {
  var code = f.code,
    at = run.parameters[component][code],
    ids = code === COND_VENDOR_IDENTIFIER ? run.identity.vendor : code === COND_CLASS_IDENTIFIER ? run.identity.class : run.identity.device,
    i;
  if (at && ids) {
    for (i = 0; i < ids.length; i++) {
      if (same(ids[i], value(from(run, at), code) as Bytes)) {
        run.checked[code] = true;
        return;
      }
    }
  }
  fail(run, code === COND_VENDOR_IDENTIFIER ? VENDOR_MISMATCH : code === COND_CLASS_IDENTIFIER ? CLASS_MISMATCH : DEVICE_MISMATCH, f.arg);
}

function abort(run: Run, f: Frame): void {
  fail(run, ABORTED, f.arg);
}

function setIndex(run: Run, f: Frame): void {
  var r = from(run, f.arg),
    type = peekType(r),
    all = type === SIMPLE,
    n = all ? run.manifest.components.length : type === UINT ? 1 : array(r),
    i;
  f.index = [];
  for (i = 0; i < n; i++) f.index.push(all ? i : uint(r));
  barrier(run);
}

function override(run: Run, f: Frame, component: number): void {
  var r = from(run, f.arg),
    n = map(r),
    at,
    name;
  barrier(run);
  for (; n > 0; n--) {
    name = int(r);
    at = r.at;
    if (name === PARAM_SOFT_FAILURE) {
      if (f.kind === 0) refuse(SOFT_FAILURE_SCOPE, at);
      f.soft = bool(r);
    } else if (name === PARAM_STRICT_ORDER) run.strict = bool(r);
    else {
      skip(r);
      run.parameters[component][name] = at;
    }
  }
}

function runSequence(run: Run, f: Frame, component: number): void {
  frame(run, bstr(from(run, f.arg)), DIR_RUN_SEQUENCE, [component]);
}

function tryEach(run: Run, f: Frame, component: number): void {
  var r = from(run, f.arg);
  alternative(run, r, array(r), [component]);
}

/** An Effect with what is set for the component. A condition without its parameter fails; a directive without it ends the run. */
export function effect(run: Run, f: Frame, component: number): Effect | null {
  var op = f.code,
    e: Effect = { op: op, component: component },
    // what the command cannot do without
    has = set(run, e, "digest", PARAM_IMAGE_DIGEST, component) || op !== COND_IMAGE_MATCH,
    source;
  set(run, e, "size", PARAM_IMAGE_SIZE, component);
  if (op === DIR_INVOKE) set(run, e, "args", PARAM_INVOKE_ARGS, component);
  if (op === DIR_FETCH) set(run, e, "args", PARAM_FETCH_ARGS, component);
  if (op === COND_COMPONENT_SLOT) has = set(run, e, "slot", PARAM_COMPONENT_SLOT, component);
  if (op === COND_CHECK_CONTENT || op === DIR_WRITE) has = set(run, e, "content", PARAM_CONTENT, component);
  if (op === DIR_FETCH) has = set(run, e, "uri", PARAM_URI, component);
  if (HAS_COPY && (op === DIR_COPY || op === DIR_SWAP)) has = set(run, e, "source", PARAM_SOURCE_COMPONENT, component);
  source = e.source as number;
  if (HAS_COPY && op === DIR_SWAP && has) {
    set(run, e, "sourceDigest", PARAM_IMAGE_DIGEST, source);
    set(run, e, "sourceSize", PARAM_IMAGE_SIZE, source);
  }
  if (!has) {
    if (!isCondition(op)) refuse(PARAMETER_MISSING, f.arg);
    fail(run, PARAMETER_MISSING, f.arg);
    return null;
  }
  if (!isCondition(op) && !run.strict) {
    // a component must not be source and target at once; in a swap both are
    if (op === DIR_SWAP || run.sources.indexOf(component) >= 0 || component === source || run.targets.indexOf(source) >= 0)
      refuse(STRICT_ORDER, f.arg);
    run.targets.push(component);
    if (source !== undefined) run.sources.push(source);
  }
  return e;
}

/** What the commands do that need no device. All others that open() lets through hand out an Effect. */
export var COMMANDS: { [code: number]: Handler } = {};
COMMANDS[COND_VENDOR_IDENTIFIER] = COMMANDS[COND_CLASS_IDENTIFIER] = COMMANDS[COND_DEVICE_IDENTIFIER] = identify;
COMMANDS[COND_ABORT] = abort;
COMMANDS[DIR_SET_COMPONENT_INDEX] = setIndex;
COMMANDS[DIR_OVERRIDE_PARAMETERS] = override;
COMMANDS[DIR_TRY_EACH] = tryEach;
COMMANDS[DIR_RUN_SEQUENCE] = runSequence;

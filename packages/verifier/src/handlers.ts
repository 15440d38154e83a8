// The table of commands: code → what it does to the run.

import { same } from "./bytes.js";
import { array, BSTR, bool, bstr, int, map, peekType, type Reader, SIMPLE, skip, sub, take, tstr, UINT, uint } from "./cbor.js";
import { isCondition, uri } from "./commands.js";
import { digest } from "./digest.js";
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
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} from "./spec/suit.js";
import type { Bytes } from "./types.js";

type Handler = (run: Run, frame: Frame, component: number) => Effect | null;

/** A reader on the value of a parameter, or null where it is not set. */
function parameter(run: Run, component: number, key: number): Reader | null {
  var s = run.parameters[component][key];
  return s ? sub(run.manifest.r, s) : null;
}

function bytesOf(r: Reader): Bytes {
  var s = bstr(r);
  return take(r, s.at, s.n);
}

function identify(run: Run, component: number, key: number, ids: Bytes[] | undefined): boolean {
  var r = parameter(run, component, key),
    value,
    i;
  if (!r || !ids) return false;
  // a UUID is compared without its head; a private enterprise number with its tag
  value = peekType(r) === BSTR ? bytesOf(r) : take(r, r.at, r.end - r.at);
  for (i = 0; i < ids.length; i++) if (same(ids[i], value)) return true;
  return false;
}

function vendor(run: Run, f: Frame, component: number): null {
  if (identify(run, component, PARAM_VENDOR_IDENTIFIER, run.identity.vendor)) run.vendor = true;
  else fail(run, VENDOR_MISMATCH, f.arg.at);
  return null;
}

function classOf(run: Run, f: Frame, component: number): null {
  if (identify(run, component, PARAM_CLASS_IDENTIFIER, run.identity.class)) run.class = true;
  else fail(run, CLASS_MISMATCH, f.arg.at);
  return null;
}

function device(run: Run, f: Frame, component: number): null {
  if (!identify(run, component, PARAM_DEVICE_IDENTIFIER, run.identity.device)) fail(run, DEVICE_MISMATCH, f.arg.at);
  return null;
}

function abort(run: Run, f: Frame): null {
  fail(run, ABORTED, f.arg.at);
  return null;
}

function setIndex(run: Run, f: Frame): null {
  var r = sub(run.manifest.r, f.arg),
    type = peekType(r),
    n = 1,
    i;
  f.index = [];
  if (type === SIMPLE) for (i = 0; i < run.manifest.components.length; i++) f.index.push(i);
  else {
    if (type !== UINT) n = array(r);
    for (; n > 0; n--) f.index.push(uint(r));
  }
  barrier(run);
  return null;
}

function override(run: Run, f: Frame, component: number): null {
  var r = sub(run.manifest.r, f.arg),
    n = map(r),
    at,
    key;
  barrier(run);
  for (; n > 0; n--) {
    key = int(r);
    at = r.at;
    if (key === PARAM_SOFT_FAILURE) {
      if (f.kind === 0) refuse(SOFT_FAILURE_SCOPE, at);
      f.soft = bool(r);
    } else if (key === PARAM_STRICT_ORDER) run.strict = bool(r);
    else {
      skip(r);
      run.parameters[component][key] = { at: at, n: r.at - at };
    }
  }
  return null;
}

function runSequence(run: Run, f: Frame, component: number): null {
  frame(run, bstr(sub(run.manifest.r, f.arg)), DIR_RUN_SEQUENCE, [component]);
  return null;
}

function tryEach(run: Run, f: Frame, component: number): null {
  var r = sub(run.manifest.r, f.arg);
  alternative(run, r, array(r), [component]);
  return null;
}

/** An Effect with what is set for the component. A condition without its parameter fails; a directive without it ends the run. */
function effect(run: Run, f: Frame, component: number): Effect | null {
  var op = f.code,
    e: Effect = { op: op, component: component },
    r = parameter(run, component, PARAM_IMAGE_DIGEST),
    missing = false;
  if (r) e.digest = digest(sub(r, bstr(r)));
  r = parameter(run, component, PARAM_IMAGE_SIZE);
  if (r) e.size = uint(r);
  if (op === COND_IMAGE_MATCH) missing = !e.digest;
  else if (op === COND_COMPONENT_SLOT) {
    r = parameter(run, component, PARAM_COMPONENT_SLOT);
    if (r) e.slot = uint(r);
    else missing = true;
  } else if (op === COND_CHECK_CONTENT || op === DIR_WRITE) {
    r = parameter(run, component, PARAM_CONTENT);
    if (r) e.content = bytesOf(r);
    else missing = true;
  } else if (op === DIR_FETCH) {
    r = parameter(run, component, PARAM_URI);
    if (r) e.uri = uri(r, tstr(r));
    else missing = true;
    r = parameter(run, component, PARAM_FETCH_ARGS);
    if (r) e.args = bytesOf(r);
  } else if (op === DIR_COPY || op === DIR_SWAP) {
    r = parameter(run, component, PARAM_SOURCE_COMPONENT);
    if (r) e.source = uint(r);
    else missing = true;
    if (op === DIR_SWAP && !missing) {
      r = parameter(run, e.source as number, PARAM_IMAGE_DIGEST);
      if (r) e.sourceDigest = digest(sub(r, bstr(r)));
      r = parameter(run, e.source as number, PARAM_IMAGE_SIZE);
      if (r) e.sourceSize = uint(r);
    }
  } else {
    r = parameter(run, component, PARAM_INVOKE_ARGS);
    if (r) e.args = bytesOf(r);
  }
  if (missing) {
    if (!isCondition(op)) refuse(PARAMETER_MISSING, f.arg.at);
    fail(run, PARAMETER_MISSING, f.arg.at);
    return null;
  }
  if (!isCondition(op) && !run.strict) {
    // a component must not be source and target at once; in a swap both are
    if (op === DIR_SWAP || run.sources.indexOf(component) >= 0 || component === e.source || run.targets.indexOf(e.source as number) >= 0)
      refuse(STRICT_ORDER, f.arg.at);
    run.targets.push(component);
    if (e.source !== undefined) run.sources.push(e.source);
  }
  return e;
}

/** What each command does. Those that need the device hand out an Effect. */
export var COMMANDS: { [code: number]: Handler } = {};
COMMANDS[COND_VENDOR_IDENTIFIER] = vendor;
COMMANDS[COND_CLASS_IDENTIFIER] = classOf;
COMMANDS[COND_DEVICE_IDENTIFIER] = device;
COMMANDS[COND_ABORT] = abort;
COMMANDS[COND_IMAGE_MATCH] = effect;
COMMANDS[COND_COMPONENT_SLOT] = effect;
COMMANDS[COND_CHECK_CONTENT] = effect;
COMMANDS[DIR_SET_COMPONENT_INDEX] = setIndex;
COMMANDS[DIR_OVERRIDE_PARAMETERS] = override;
COMMANDS[DIR_TRY_EACH] = tryEach;
COMMANDS[DIR_RUN_SEQUENCE] = runSequence;
COMMANDS[DIR_WRITE] = effect;
COMMANDS[DIR_FETCH] = effect;
COMMANDS[DIR_COPY] = effect;
COMMANDS[DIR_INVOKE] = effect;
COMMANDS[DIR_SWAP] = effect;

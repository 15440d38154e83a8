// The commands: their effect on a run, and the checks of their arguments.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_COPY, HAS_TOOLS } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { array, bstr, here, input, intKey, keyRead, map, peekType, SIMPLE, seek, simple, skip, TRUE, UINT, uint } from "../cbor/reader.js";
import type { Digest } from "../hash/digest.js";
import {
  foreign,
  isCondition,
  KIND_COMPONENT,
  KIND_OCTETS,
  KIND_OTHER,
  KIND_URI,
  PARAMETER_VALUE_KINDS,
  parameterValue,
  tableEntry,
} from "../manifest/code-points.js";
import { MAX_COMPONENTS } from "../manifest/parse.js";
import {
  ABORTED,
  CLASS_MISMATCH,
  COMMAND_ARGUMENT,
  DEVICE_MISMATCH,
  INDEX_RANGE,
  PARAMETER_MISSING,
  PARAMETER_UNKNOWN,
  SOFT_FAILURE_SCOPE,
  STRICT_ORDER,
  VENDOR_MISMATCH,
} from "../spec/errors.generated.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_VENDOR_IDENTIFIER,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  PARAM_CONTENT,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
} from "../spec/suit.js";
import { alternative, barrier, type Effect, type Frame, failRun, frame, type Run } from "./frame.js";

/** Refuses a component index that the manifest does not have. */
function checkIndex(run: Run, c: number): void {
  if (c >= run.parameters.length && !(HAS_TOOLS && input.lenient)) refuse(INDEX_RANGE);
}

/**
 * Executes set-component-index: true, one index, or a list of unique indices, so that the list is no longer than the
 * components.
 */
export function setIndex(run: Run, f: Frame): void {
  var type = peekType(),
    seen: number[] = [],
    n = 1,
    i,
    c;
  if (type === SIMPLE) {
    if (simple() !== TRUE) refuse(COMMAND_ARGUMENT);
    n = run.parameters.length;
  } else if (type !== UINT) {
    // unique, so there are no more than components: decodeEnvelope() has no other bound
    n = array();
    if (n === 0 || n > MAX_COMPONENTS) refuse(COMMAND_ARGUMENT);
  }
  for (i = 0; i < n; i++) {
    c = type === SIMPLE ? i : uint();
    checkIndex(run, c);
    if (seen.indexOf(c) >= 0) refuse(COMMAND_ARGUMENT);
    seen.push(c);
  }
  f.index = seen;
  barrier(run);
}

/**
 * Executes override-parameters: records where each value of a component is. When commands are only checked, collects
 * the URIs and sizes.
 */
export function setParameters(run: Run, f: Frame, component: number): void {
  var n = map(),
    last: Bytes | null = null,
    at,
    kind,
    p,
    v;
  if (n === 0) refuse(COMMAND_ARGUMENT);
  barrier(run);
  for (; n > 0; n--) {
    last = intKey(last);
    p = keyRead;
    at = here;
    kind = tableEntry(PARAMETER_VALUE_KINDS, p);
    if (!kind) refuse(PARAMETER_UNKNOWN);
    if (kind === KIND_OTHER) {
      foreign();
      skip();
    } else if (kind === KIND_OCTETS) bstr();
    else v = parameterValue(kind);
    if (kind === KIND_COMPONENT) checkIndex(run, v as number);
    if (run.looked) {
      if (kind === KIND_URI) run.looked.uris.push(v as string);
      if (p === PARAM_IMAGE_SIZE) run.looked.bytes += v as number;
    } else if (p === PARAM_SOFT_FAILURE) {
      if (f.kind === 0) refuse(SOFT_FAILURE_SCOPE);
      f.soft = v as boolean;
    } else if (p === PARAM_STRICT_ORDER) run.strict = v as boolean;
    else run.parameters[component][p] = at;
  }
}

/** The value of parameter `p` of a component, or undefined if it is not set. */
function parameter(run: Run, component: number, p: number): unknown {
  var at = run.parameters[component][p];
  if (!at) return undefined;
  seek(input, at, input.n);
  return parameterValue(tableEntry(PARAMETER_VALUE_KINDS, p));
}

/** Checks a vendor, class or device identifier. The parameter has the same number as the condition. */
function identify(run: Run, code: number, component: number): void {
  var id = run.identity,
    ids = code === COND_VENDOR_IDENTIFIER ? id.vendor : code === COND_CLASS_IDENTIFIER ? id.class : id.device,
    v = parameter(run, component, code) as Bytes | undefined,
    i;
  for (i = 0; v && ids && i < ids.length; i++) {
    if (equalConstantTime(ids[i], v)) {
      run.checked.push({ command: code, id: v });
      return;
    }
  }
  failRun(run, code === COND_VENDOR_IDENTIFIER ? VENDOR_MISMATCH : code === COND_CLASS_IDENTIFIER ? CLASS_MISMATCH : DEVICE_MISMATCH);
}

/**
 * Returns an Effect with the parameters of the component. If the required parameter is missing, a condition fails and a
 * directive ends the run.
 */
function effect(run: Run, op: number, component: number): void {
  // the required parameter: for most commands, its number is that of the command
  var p = op === DIR_SWAP ? PARAM_SOURCE_COMPONENT : op === COND_CHECK_CONTENT ? PARAM_CONTENT : op,
    v = parameter(run, component, p),
    e: Effect = {
      op: op,
      component: component,
      digest: parameter(run, component, PARAM_IMAGE_DIGEST) as Digest | undefined,
      size: parameter(run, component, PARAM_IMAGE_SIZE) as number | undefined,
    },
    source: number;
  if (v === undefined && op !== DIR_INVOKE) {
    if (!isCondition(op)) refuse(PARAMETER_MISSING);
    failRun(run, PARAMETER_MISSING);
    return;
  }
  if (op === DIR_INVOKE) e.args = v as Bytes;
  else if (op === COND_COMPONENT_SLOT) e.slot = v as number;
  else if (p === PARAM_CONTENT) e.content = v as Bytes;
  else if (op === DIR_FETCH) {
    e.uri = v as string;
    e.args = parameter(run, component, PARAM_FETCH_ARGS) as Bytes | undefined;
  } else if (HAS_COPY && p === PARAM_SOURCE_COMPONENT) {
    e.source = source = v as number;
    if (op === DIR_SWAP) {
      e.sourceDigest = parameter(run, source, PARAM_IMAGE_DIGEST) as Digest | undefined;
      e.sourceSize = parameter(run, source, PARAM_IMAGE_SIZE) as number | undefined;
    }
  }
  if (!isCondition(op) && !run.strict) {
    // a component must not be both source and target, except in a swap
    source = e.source as number;
    if (op === DIR_SWAP || run.sources.indexOf(component) >= 0 || component === source || run.targets.indexOf(source) >= 0)
      refuse(STRICT_ORDER);
    run.targets.push(component);
    if (source !== undefined) run.sources.push(source);
  }
  run.effect = e;
}

/** Executes the current command for one component, or returns it as an Effect. open() has checked it before. */
export function performCommand(run: Run, f: Frame, component: number): void {
  var code = f.command;
  seek(input, f.arg, f.end);
  if (code === DIR_SET_COMPONENT_INDEX) setIndex(run, f);
  else if (code === DIR_OVERRIDE_PARAMETERS) setParameters(run, f, component);
  else if (code === DIR_TRY_EACH) alternative(run, array(), [component]);
  else if (code === DIR_RUN_SEQUENCE) frame(run, bstr(), code, [component]);
  else if (code === COND_ABORT) failRun(run, ABORTED);
  else if (code === COND_VENDOR_IDENTIFIER || code === COND_CLASS_IDENTIFIER || code === COND_DEVICE_IDENTIFIER)
    identify(run, code, component);
  else effect(run, code, component);
}

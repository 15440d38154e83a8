// The commands of a sequence, looked at before any of them runs: an unknown command or parameter makes the whole manifest invalid
// (M37 §6.1), and what this build cannot run is refused here, not half-way through an installation.

import {
  array,
  ascending,
  BSTR,
  bool,
  bstr,
  done,
  head,
  int,
  MAX_DEPTH,
  map,
  NULL,
  peekType,
  type Reader,
  SIMPLE,
  type Slice,
  simple,
  skip,
  sub,
  TAG,
  TRUE,
  tag,
  take,
  tstr,
  UINT,
  uint,
} from "./cbor.js";
import { digest } from "./digest.js";
import type { Structure } from "./parse.js";
import { refuse } from "./refuse.js";
import {
  CBOR_DEPTH,
  COMMAND_ARGUMENT,
  COMMAND_UNKNOWN,
  INDEX_RANGE,
  NOT_SUPPORTED,
  PARAMETER_UNKNOWN,
  PARAMETER_VALUE,
  SHARED_COMMAND,
  URI_CHARACTER,
  URI_LENGTH,
} from "./spec/errors.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEPENDENCY_INTEGRITY,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_IMAGE_NOT_MATCH,
  COND_IS_DEPENDENCY,
  COND_MINIMUM_BATTERY,
  COND_UPDATE_AUTHORIZED,
  COND_USE_BEFORE,
  COND_VENDOR_IDENTIFIER,
  COND_VERSION,
  DIR_COPY,
  DIR_COPY_PARAMS,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_MULTIPLE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_PROCESS_DEPENDENCY,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SET_PARAMETERS,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_UNLINK,
  DIR_WAIT,
  DIR_WRITE,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_METADATA,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_ENCRYPTION_INFO,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_MINIMUM_BATTERY,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_UPDATE_PRIORITY,
  PARAM_URI,
  PARAM_USE_BEFORE,
  PARAM_VENDOR_IDENTIFIER,
  PARAM_VERSION,
  PARAM_WAIT_INFO,
  TAG_CBOR_PEN,
} from "./spec/suit.js";

/** Every condition takes a reporting policy, as do the directives that act on a device (M37 §8.4.7): four bits. */
var MAX_POLICY = 15;
var MAX_URI = 1024;

/** What stands behind a command: a reporting policy, or an argument of its own. FOREIGN marks what this build does not run. */
var POLICY = 1;
var OWN = 2;
var FOREIGN = 4;
/** May stand in a shared sequence: no side effects (M37 §8.4.5). */
var SHARED = 8;

var KINDS: { [code: number]: number } = {};
KINDS[COND_VENDOR_IDENTIFIER] = POLICY + SHARED;
KINDS[COND_CLASS_IDENTIFIER] = POLICY + SHARED;
KINDS[COND_IMAGE_MATCH] = POLICY + SHARED;
KINDS[COND_COMPONENT_SLOT] = POLICY + SHARED;
KINDS[COND_CHECK_CONTENT] = POLICY + SHARED;
KINDS[COND_ABORT] = POLICY + SHARED;
KINDS[COND_DEVICE_IDENTIFIER] = POLICY + SHARED;
KINDS[DIR_SET_COMPONENT_INDEX] = OWN + SHARED;
KINDS[DIR_TRY_EACH] = OWN + SHARED;
KINDS[DIR_OVERRIDE_PARAMETERS] = OWN + SHARED;
KINDS[DIR_RUN_SEQUENCE] = OWN + SHARED;
KINDS[DIR_WRITE] = POLICY;
KINDS[DIR_FETCH] = POLICY;
KINDS[DIR_COPY] = POLICY;
KINDS[DIR_INVOKE] = POLICY;
KINDS[DIR_SWAP] = POLICY;
KINDS[COND_USE_BEFORE] = POLICY + SHARED + FOREIGN;
KINDS[COND_DEPENDENCY_INTEGRITY] = POLICY + SHARED + FOREIGN;
KINDS[COND_IS_DEPENDENCY] = POLICY + SHARED + FOREIGN;
KINDS[COND_IMAGE_NOT_MATCH] = POLICY + SHARED + FOREIGN;
KINDS[COND_MINIMUM_BATTERY] = POLICY + SHARED + FOREIGN;
KINDS[COND_UPDATE_AUTHORIZED] = POLICY + SHARED + FOREIGN;
KINDS[COND_VERSION] = POLICY + SHARED + FOREIGN;
KINDS[DIR_PROCESS_DEPENDENCY] = POLICY + FOREIGN;
KINDS[DIR_SET_PARAMETERS] = OWN + SHARED + FOREIGN;
KINDS[DIR_WAIT] = POLICY + FOREIGN;
KINDS[DIR_UNLINK] = POLICY + FOREIGN;
KINDS[DIR_OVERRIDE_MULTIPLE] = OWN + FOREIGN;
KINDS[DIR_COPY_PARAMS] = OWN + FOREIGN;

/** Text that can be a URI reference: printable ASCII without space (RFC 3986 §2). Keeps control characters from every log and path. */
export function uri(r: Reader, s: Slice): string {
  var bytes,
    text = "",
    i;
  if (s.n > MAX_URI) refuse(URI_LENGTH, s.at);
  bytes = take(r, s.at, s.n);
  for (i = 0; i < bytes.length; i++) {
    if (bytes[i] < 33 || bytes[i] > 126) refuse(URI_CHARACTER, s.at + i);
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

/** Whether a command is a condition, that is, one that can fail softly. */
export function isCondition(code: number): boolean {
  return (
    code < DIR_PROCESS_DEPENDENCY ||
    code === COND_ABORT ||
    code === COND_DEVICE_IDENTIFIER ||
    (code >= COND_IMAGE_NOT_MATCH && code <= COND_VERSION)
  );
}

function parameter(r: Reader, key: number, at: number, out: Structure, lenient: boolean): void {
  var start = r.at,
    s;
  switch (key) {
    case PARAM_VENDOR_IDENTIFIER:
      // a UUID, or the vendor's private enterprise number: #6.112(bstr)
      if (peekType(r) === TAG) {
        tag(r, TAG_CBOR_PEN, PARAMETER_VALUE);
        bstr(r);
        break;
      }
      if (bstr(r).n !== 16) refuse(PARAMETER_VALUE, start);
      break;
    case PARAM_CLASS_IDENTIFIER:
    case PARAM_DEVICE_IDENTIFIER:
      if (bstr(r).n !== 16) refuse(PARAMETER_VALUE, start);
      break;
    case PARAM_IMAGE_DIGEST:
      s = sub(r, bstr(r));
      digest(s);
      done(s);
      break;
    case PARAM_COMPONENT_SLOT:
    case PARAM_IMAGE_SIZE:
      uint(r);
      break;
    case PARAM_STRICT_ORDER:
    case PARAM_SOFT_FAILURE:
      bool(r);
      break;
    case PARAM_CONTENT:
    case PARAM_INVOKE_ARGS:
    case PARAM_FETCH_ARGS:
      bstr(r);
      break;
    case PARAM_URI:
      out.uris.push(uri(r, tstr(r)));
      break;
    case PARAM_SOURCE_COMPONENT:
      if (uint(r) >= out.components.length && !lenient) refuse(INDEX_RANGE, start);
      break;
    case PARAM_USE_BEFORE:
    case PARAM_ENCRYPTION_INFO:
    case PARAM_MINIMUM_BATTERY:
    case PARAM_UPDATE_PRIORITY:
    case PARAM_VERSION:
    case PARAM_WAIT_INFO:
    case PARAM_COMPONENT_METADATA:
      if (!lenient) refuse(NOT_SUPPORTED, at);
      skip(r);
      break;
    default:
      refuse(PARAMETER_UNKNOWN, at);
  }
}

function parameters(r: Reader, out: Structure, lenient: boolean): void {
  var last: number[] | null = null,
    start = r.at,
    n = map(r),
    at,
    key;
  if (n === 0) refuse(COMMAND_ARGUMENT, start);
  for (; n > 0; n--) {
    at = r.at;
    key = int(r);
    last = ascending(r, at, last) as number[];
    parameter(r, key, at, out, lenient);
  }
}

function index(r: Reader, out: Structure, lenient: boolean): void {
  var at = r.at,
    type = peekType(r),
    seen: { [index: number]: boolean } = {},
    n = 1,
    i;
  if (type === SIMPLE) {
    if (simple(r) !== TRUE) refuse(COMMAND_ARGUMENT, at);
    return;
  }
  if (type !== UINT) {
    n = array(r);
    if (n === 0) refuse(COMMAND_ARGUMENT, at);
  }
  for (; n > 0; n--) {
    at = r.at;
    i = uint(r);
    if (i >= out.components.length && !lenient) refuse(INDEX_RANGE, at);
    // each once: the list is then no longer than the components
    if (seen[i]) refuse(COMMAND_ARGUMENT, at);
    seen[i] = true;
  }
}

/** A sequence under way, or (`each`) the alternatives of a try-each, which stand in the reader of the sequence around them. */
interface Level {
  r: Reader;
  /** Items that are left. */
  left: number;
  each: boolean;
  /** Items there are in all. */
  all: number;
}

/**
 * Looks at every command of a sequence and of the sequences inside it, at most MAX_DEPTH deep, and notes the URIs they name in `out.uris`.
 * Refuses what is unknown, what this build does not run (unless `lenient`), and in a shared sequence what has side effects.
 */
export function sequence(r0: Reader, slice: Slice, shared: boolean, out: Structure, lenient: boolean): void {
  // one level is open for each sequence and each try-each around the byte that is read: bytes are read in order, each once
  var levels: Level[] = [],
    depth = 0,
    level: Level,
    r: Reader,
    at,
    code,
    kind;

  function open(r: Reader, each: boolean): void {
    var at = r.at,
      n = array(r);
    if (each ? n < 2 : n === 0 || n % 2) refuse(COMMAND_ARGUMENT, at);
    if (!each && ++depth > MAX_DEPTH) refuse(CBOR_DEPTH, at);
    levels.push({ r: r, left: n, each: each, all: n });
  }

  open(sub(r0, slice), false);
  while (levels.length) {
    level = levels[levels.length - 1];
    r = level.r;
    at = r.at;
    if (level.left === 0) {
      if (!level.each) {
        done(r);
        depth--;
      }
      levels.pop();
    } else if (level.each) {
      level.left--;
      // [2* bstr, ? nil]: two at least, and only the last may be nil
      if (peekType(r) === BSTR) open(sub(r, bstr(r)), false);
      else if (head(r) !== SIMPLE || r.lo !== NULL || level.left > 0 || level.all < 3) refuse(COMMAND_ARGUMENT, at);
    } else {
      level.left -= 2;
      code = int(r);
      kind = KINDS[code];
      if (!kind) refuse(COMMAND_UNKNOWN, at);
      if (kind & FOREIGN && !lenient) refuse(NOT_SUPPORTED, at);
      if (shared && !(kind & SHARED)) refuse(SHARED_COMMAND, at);
      at = r.at;
      if (kind & POLICY) {
        if (uint(r) > MAX_POLICY) refuse(COMMAND_ARGUMENT, at);
      } else if (code === DIR_SET_COMPONENT_INDEX) index(r, out, lenient);
      else if (code === DIR_OVERRIDE_PARAMETERS || code === DIR_SET_PARAMETERS) parameters(r, out, lenient);
      else if (code === DIR_RUN_SEQUENCE) open(sub(r, bstr(r)), false);
      else if (code === DIR_TRY_EACH) open(r, true);
      else skip(r);
    }
  }
}

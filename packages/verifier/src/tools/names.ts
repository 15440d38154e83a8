// Names of numbers, for people. Derived from the constants, so that no number is written twice. Not in device bundles.

import * as cose from "../spec/cose.js";
import * as suit from "../spec/suit.js";

export type Names = { [code: number]: string };

/** The constants in a table whose names begin with `prefix`, as { number: "rest-of-the-name" }. */
function under(table: object, prefix: string, lead: string): Names {
  var out: Names = {},
    keys = Object.keys(table),
    i;
  for (i = 0; i < keys.length; i++) {
    if (keys[i].indexOf(prefix) === 0)
      out[(table as { [name: string]: number })[keys[i]]] = lead + keys[i].substring(prefix.length).toLowerCase().replace(/_/g, "-");
  }
  return out;
}

function merge(a: Names, b: Names): Names {
  var keys = Object.keys(b) as unknown as number[],
    i;
  for (i = 0; i < keys.length; i++) a[keys[i]] = b[keys[i]];
  return a;
}

/** The names of text elements. Those of the manifest are 1 to 4; those of a component start at 1 again. */
function texts(ofManifest: boolean): Names {
  var out: Names = {},
    keys = Object.keys(suit),
    i;
  for (i = 0; i < keys.length; i++) {
    if (keys[i].indexOf("TEXT_") === 0 && /^TEXT_(MANIFEST|UPDATE)_/.test(keys[i]) === ofManifest)
      out[(suit as { [name: string]: number })[keys[i]]] = keys[i].substring(5).toLowerCase().replace(/_/g, "-");
  }
  return out;
}

export var ELEMENT_NAMES: Names = under(suit, "ENV_", "");
export var MANIFEST_NAMES: Names = under(suit, "MAN_", "");
export var COMMON_NAMES: Names = under(suit, "COM_", "");
export var COMMAND_NAMES: Names = merge(under(suit, "COND_", "condition-"), under(suit, "DIR_", "directive-"));
export var PARAMETER_NAMES: Names = under(suit, "PARAM_", "");
export var TEXT_NAMES: Names = texts(true);
export var COMPONENT_TEXT_NAMES: Names = texts(false);
export var ALG_NAMES: Names = under(cose, "ALG_", "");
export var HASH_NAMES: Names = under(cose, "HASH_", "");

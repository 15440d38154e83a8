// Names of numbers, for people. Derived from the constants, so that no number is written twice. Not in device bundles.

import * as cose from "../spec/cose.js";
import * as suit from "../spec/suit.js";

/** Code points and their names. */
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

/** The names of the elements of an envelope (M37 §8.2). */
export var ELEMENT_NAMES: Names = under(suit, "ENV_", "");

/** The names of the elements of a manifest (M37 §8.4). */
export var MANIFEST_NAMES: Names = under(suit, "MAN_", "");

/** The names of the elements of the common part (M37 §8.4.5). */
export var COMMON_NAMES: Names = under(suit, "COM_", "");

/**
 * The names of the conditions and directives (M37 §8.4), as the specification has them without `suit-`:
 * `condition-image-match`.
 */
export var COMMAND_NAMES: Names = merge(under(suit, "COND_", "condition-"), under(suit, "DIR_", "directive-"));

/** The names of the parameters (M37 §8.4.8). */
export var PARAMETER_NAMES: Names = under(suit, "PARAM_", "");

/** The names of the texts about the whole release (M37 §8.4.4). */
export var TEXT_NAMES: Names = texts(true);

/** The names of the texts about one component (M37 §8.4.4). */
export var COMPONENT_TEXT_NAMES: Names = texts(false);

/** The names of the COSE algorithms (RFC 9053, RFC 9864), as the constants have them: `es256`. */
export var ALG_NAMES: Names = under(cose, "ALG_", "");

/** The names of the COSE hash algorithms (RFC 9054): `sha-256`. */
export var HASH_NAMES: Names = under(cose, "HASH_", "");

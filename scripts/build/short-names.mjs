// Short names for what is inside of functions, in programs that are read at each start. Names that stack traces show
// stay: those of functions and classes, even if a variable gives them.

import { parse } from "acorn";
import { partsOf } from "./first-run.mjs";
import { minify } from "./minify.mjs";

const NAMED_BY_VARIABLE = ["ArrowFunctionExpression", "FunctionExpression", "ClassExpression"];

/** The names of variables and parameters that name a function or a class. */
function namesOfFunctions(text) {
  const names = new Set();
  const take = (target, value) => {
    if (target.type === "Identifier" && NAMED_BY_VARIABLE.includes(value?.type)) names.add(target.name);
  };
  const walk = (node) => {
    if (node.type === "VariableDeclarator") take(node.id, node.init);
    if (node.type === "AssignmentExpression" || node.type === "AssignmentPattern") take(node.left, node.right);
    for (const one of partsOf(node)) walk(one);
  };
  walk(parse(text, { ecmaVersion: 2022 }));
  return [...names];
}

/** The text of a script with short names in functions. */
export async function withShortNames(text) {
  const mangle = { keep_fnames: true, keep_classnames: true, reserved: namesOfFunctions(text) };
  const { code } = await minify(text, { compress: false, mangle, format: { ascii_only: true, comments: false, ecma: 2020 } });
  return code;
}

// "No unproved shift": a bit operation works on the low 32 bits of its operands and silently drops the rest. If the
// code itself does not show that nothing is dropped, a comment in that function must say why.
//
// A shift counts modulo 32. Engines that leave this to the processor (Espruino) get 0 on ARM from 32 on, and x86 hides
// it. So the code itself must show that a count is from 0 to 31: no comment excuses it.

import { parse } from "acorn";
import { ranges } from "./devices/ranges.mjs";
import { commentsOf } from "./devices/reasons.mjs";
import { parsed, within } from "./syntax.mjs";

const SHIFTS = new Set(["<<", ">>", ">>>"]);
const WORD = 4294967296;

/** What a comment has to say: that 32 bits are enough, or a power of two up to 2^32 that the operand stays below. */
const REASON = /\b32[ -]bits?\b|2\^(?:[12]?\d|3[0-2])\b/;

const isBinary = ({ type }) => type === "BinaryExpression" || type === "AssignmentExpression";
const operatorOf = ({ type, operator }) => (type === "AssignmentExpression" ? operator.slice(0, -1) : operator);
/** The shifts in a syntax tree, with their operators. */
const shiftsIn = (tree) => within(tree).flatMap(([node]) => (isBinary(node) && SHIFTS.has(operatorOf(node)) ? [node] : []));

/** The bit operations of `tree` of which the code does not show that they lose nothing. */
function unproved(tree, rangeOf) {
  // `| 0` is how a number is made one of 32 bits
  const cuts = within(tree).flatMap(([node]) => (isBinary(node) && operatorOf(node) === "|" && node.right.value === 0 ? [node] : []));
  return [...shiftsIn(tree), ...cuts].filter(({ left }) => {
    const [low, high] = rangeOf(left);
    return !(low >= -WORD && high <= WORD);
  });
}

/**
 * Findings on `code`, the whole verifier in one scope. `modules`: the module of each name at its top; `read`: the
 * source of a module. A bundler may have put a number behind a name that two modules have.
 */
export function checkShifts(code, modules, read) {
  const findings = [];
  if (!/^function /m.test(code)) return ["there is no function to look at"];
  const tree = parse(code, { ecmaVersion: 5 });
  const rangeOf = ranges(tree);
  for (const node of tree.body) {
    const shifts = unproved(node, rangeOf);
    if (shifts.length === 0) continue;
    const { module, name, text } = commentsOf(node, modules, read);
    if (REASON.test(text)) continue;
    for (const { start, end } of shifts)
      findings.push(`${module} ${name}(): ${code.slice(start, end)}: nothing says that 32 bits are enough`);
  }
  return findings;
}

/** Findings on the counts of shifts in a script, or in a module that need not be ES5. */
export function checkCounts(code, file) {
  const { tree, isEs5 } = parsed(code);
  const rangeOf = ranges(tree, isEs5);
  return shiftsIn(tree).flatMap(({ start, end, right }) => {
    const [low, high] = rangeOf(right);
    return low >= 0 && high <= 31 ? [] : [`${file}: ${code.slice(start, end)}: nothing shows that the count is from 0 to 31`];
  });
}

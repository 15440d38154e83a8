// What the build does to the programs of short commands: expressions that no plain run reaches, and names.

import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { setAside } from "../build/set-aside.mjs";
import { withShortNames } from "../build/short-names.mjs";

/** A script of which `~` begins and ends what is not reached. The text without the marks, and where a run comes. */
function marked(text) {
  let plain = "";
  const reached = [];
  for (const [i, part] of text.split("~").entries()) {
    plain += part;
    reached.push(...Array(part.length).fill(i % 2 ? 0 : 1));
  }
  return { text: plain, reached: Uint8Array.from(reached) };
}

/** What is left of a script, and what was set aside, which may run. */
function aside(script) {
  const { text, reached } = marked(script);
  const made = setAside(text, reached, "__aside.it", "__names");
  const exported = made.needed.map((name) => `get ${name}(){return ${name}}`).join();
  const whole = `var __aside={get it(){const __names={${exported}};return{${made.functions.join()}}}};${made.text}`;
  return { ...made, run: (call) => runInNewContext(`${whole};${call}`) };
}

const LONG = "'a text that is long enough to be worth a call of its own, and more'";

it("moves an expression out with what it reads of the functions around it", () => {
  const { text, functions, needed, run } = aside(
    `var limit=7;function words(n){return "words "+n}function f(a){for(let i=0;i<3;i++)if(i>a)~throw words(i)+limit+a+${LONG};~return a}`,
  );
  expect(text).toContain("throw __aside.it.f0(i,a);");
  expect(functions).toHaveLength(1);
  expect(needed).toEqual(["words", "limit"]);
  expect(() => run("f(1)")).toThrow(/^words 271a text/);
  expect(run("f(9)")).toBe(9);
});

it("gives a word in front of it room, and members in short form their values", () => {
  const { text, run } = aside(`var g=1;function f(a){if(a)~return{a,g,x:${LONG}}~;return 0}`);
  expect(text).toContain("return __aside.it.f0(a)");
  expect(run("f(5)")).toMatchObject({ a: 5, g: 1 });
});

it.each([
  ["waits", `async function f(a){if(a)~return [await a,${LONG}]~}`],
  ["assigns to a variable of the function", `function f(a){if(a)~return [a=1,${LONG}]~}`],
  ["assigns to a variable of the program", `var g;function f(a){if(a)~return [g=1,${LONG}]~}`],
  ["reads this", `function f(a){if(a)~return [this,${LONG}]~}`],
  ["reads the arguments", `function f(a){if(a)~return [arguments,${LONG}]~}`],
  ["asks for a file", `function f(a){if(a)~return [require(a),${LONG}]~}`],
  ["reads a variable that a function inside changes", `function f(a){const add=()=>{a++};if(a)~return [add(),a,${LONG}]~}`],
  ["has a function that reads a variable which gets another value", `function f(a){a=2;if(a)~return [()=>a,${LONG}]~}`],
  ["is a function", `function f(a){a&&a(~()=>{return ${LONG}}~)}`],
  ["is short", "function f(a){if(a)~return [a,a]~}"],
])("leaves an expression where it is that %s", (_, script) => {
  expect(aside(script)).toMatchObject({ text: marked(script).text, functions: [], needed: [] });
});

it("takes the longest parts that can be a function", () => {
  const { functions } = aside(`async function f(a){if(a)~return [await g(${LONG}),a?${LONG}:h(a,${LONG})]~}function g(){}function h(){}`);
  expect(functions).toEqual([`f0:()=>((0,__names.g)(${LONG}))`, `f1:()=>(${LONG})`, `f2:(a)=>((0,__names.h)(a,${LONG}))`]);
});

it("refuses an unknown name", () => {
  expect(() => aside(`function f(a){if(a)~return [nowhere,${LONG}]~}`)).toThrow("nowhere");
});

it("shortens the names of variables and parameters, and none that a stack trace shows", async () => {
  const short = await withShortNames(
    "var limit=7;function outer(length){const inner=(value)=>value*limit;class Inside{};function declared(){}return[inner(length),Inside,declared]}",
  );
  for (const name of ["limit", "outer", "inner", "Inside", "declared"]) expect(short).toMatch(new RegExp(`\\b${name}\\b`));
  expect(short).not.toMatch(/length|value/);
  expect(await withShortNames('var text="\\u2026 \\xe9";')).toMatch(/^[ -~]*$/);
});

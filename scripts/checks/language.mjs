// Forms that the style of CONTRIBUTING.md replaces, where a pattern finds them: in documents, in the sources of the
// packages, and in the comments and titles of tests of other sources.

import { createRequire } from "node:module";

/** Loaded for the first test file: most often no test has changed. */
let ts;

/** A pattern for small and capital letters, and what to write. A reader finds more. */
const FORMS = [
  [
    /(?<!\b[Tt]here )\b(?:is|are|was|were) no (?!longer\b|more\b|other\b|one\b|such\b|lower\b|higher\b|wider\b|less\b|better\b)[A-Za-z]+/g,
    'write "is not a"',
  ],
  [
    /\b(?:stands?|stood) (?:in (?!for\b)|at |on |above |below |behind |before |beside |there\b|here\b)/g,
    "name who acts: records, follows, holds",
  ],
  [/(?<!\bif )\bIt is (?:the|a|an) [a-z]+ (?:that|who|which) /g, "put the subject first"],
  [/\b[Ww]hom?ever\b/g, "name the actor: the caller, the device, an attacker"],
  [/\b(?:another [a-z]+|other [a-z]+s) than\b/g, 'write "a different X from", or say what it is not'],
  [/\belse than\b/g, 'write "other than"'],
  [/\b(?:comes?|came) by (?:itself|themselves)\b/g, "name what it comes without"],
  [
    /, for (?:it|they|these|those|this|there|he|she|nobody|nothing|no) (?:is|are|has|have|was|were|never|does|do|can|must|cannot|would|could)\b/g,
    'write "because"',
  ],
  [/\b(?:is|are|was|were|be|been|not|only) looked at\b/g, 'write "checked" or "examined"'],
  [/\b[Ww]hat becomes of\b/g, 'write "what happens to"'],
  [/\b(?:go|goes|went|gone) on (?:with(?:out)?|after|as|behind|from|in|through|to its|up to)\b/g, 'write "continue"'],
  [/\bat hand\b/g, 'write "available", or say who has it'],
  [/\bone (?:[a-z]+ )?behind the other\b/g, 'write "in sequence"'],
  [/\b(?:is|are) made up\b|\ba made-up\b/g, 'write "generated"'],
  [/\bbesides(?=[.;:)]| \*\/)/g, 'write "also", and put it before the verb'],
  [/\b(?:lies?|lay) (?!between\b)(?:in|on|at|above|below|behind|before|beside|under|here|there|where)\b/g, 'write "is in" or "follows"'],
  [/\b(?:of|for|at most|only|up to|[Ff]rom) so many\b/g, 'name the number, or write "this many"'],
  [/\b(?:holds?|held|holding) (?!up\b)(?:[\w'-]+ ){1,5}against\b/g, 'write "check against" or "compare with"'],
  [/\b[Ll]et(?:s|ting)? go of\b/g, 'write "drop"'],
  [/\bfor want of\b/g, 'write "because ... is missing"'],
  [/\b(?:[Ww]hat|as) (?:an?|the|each|every) (?:[a-z]+ ){1,3}(?:does|did) that [a-z]+/g, 'put "that ..." after its noun'],
  [/\b(?:is|are) to be [a-z]+ed\b/g, 'name who acts, or write "must be"'],
  [/\bfor ever\b/g, 'write "forever"'],
  [/(?<!\bthere )\b(?:is|are|was|were) none\b/g, 'write "is not a ..." or "is invalid"'],
  [/\bin the place of\b/g, 'write "in place of" or "replaces"'],
  [/\b(?:do|does) not go together\b/g, 'write "cannot be combined"'],
  [/\b(?:is|are|was|were) passed over\b/g, 'write "is ignored" or "is skipped"'],
  [/\b(?:leave|leaves|left) (?:itself|themselves) out\b/g, 'write "skip"'],
  [/\bput together\b/g, 'write "assembled", "combined" or "grouped"'],
  [/\b(?:without a word|in silence)\b/g, 'write "silently"'],
  [/(?:^|[*/] |\. )Whom\b/gm, '"the keys that a device trusts"'],
  [/, also (?:if|when|where|after)\b/g, 'write "even if", "even after"'],
  [/\bsince when\b/g, 'write "when ... began", or "how long"'],
  [/\b(?:one|an?) (?:bit|byte|octet|character|line|entry|key|signature|hour|day) more\b(?! than\b)/g, 'write "one more ..."'],
  [/\balready(?=[.,;:)"'`]| \*\/)/g, 'put "already" before the verb'],
  [/\bsays? of\b/g, 'write "says about", or name what it describes'],
  [/\bthe ones? of\b/g, 'write "that of", or "the one that ..."'],
  [/\b(?:is|are|was|were|be) had\b/g, 'write "is available", or name who has it'],
  [/\bthat there (?:is|are)(?=[.,;:)])/g, 'write "that exist"'],
  [/\bwith one (?:sequence )?number\b(?! each\b)/g, 'write "with the same number"'],
  [/\bputs? (?:it|them|these|those) together\b/g, 'write "combine", "assemble" or "build"'],
  [/\bthe begin\b/g, 'write "the beginning"'],
  [
    /\b(?:calls?|counts?|leaves?|leave) (?:an?|the|no) [a-z]+ (?:as [a-z]+|behind|exposed|stranded|valid|good) (?:that|which|who)\b/g,
    'put "that ..." after its noun',
  ],
];

/** Forms that only comments and titles must avoid. */
const COMMENT_FORMS = [
  [/\b(?:tells|told)\b(?! apart)/g, 'write "shows", "reports" or "says"'],
  [/\banew\b/g, 'write "again" or "new"'],
  [/\bbeliev(?:e|es|ed)\b/g, 'write "trust" or "accept"'],
  [/\/\*\* The same (?:after|as|for|in|of|with)\b/g, 'name the other function: write "Like f(), for ..."'],
];

/** The comments of a source, with spaces in place of the code. Lines stay. */
const commentsOf = (text) =>
  text
    .split("\n")
    .map((line) => {
      const at = /^\s*(?:\/\/|\/?\*)|(?<=[\s;,{(])\/\/ /.exec(line)?.index ?? line.length;
      return " ".repeat(at) + line.slice(at);
    })
    .join("\n");

/** Whether a called expression makes a test or a group: it, describe.skipIf(x), it.each([...]), it.each`...`. */
function isTestMaker(node) {
  if (ts.isIdentifier(node)) return /^(?:it|test|describe)$/.test(node.text);
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return isTestMaker(node.expression);
  return ts.isTaggedTemplateExpression(node) && isTestMaker(node.tag);
}

/** The parts of a title that are text: [start, end] of each. None for a title that is not a literal. */
function partsOfTitle(title, source) {
  if (!title) return [];
  if (ts.isStringLiteralLike(title)) return [[title.getStart(source) + 1, title.end - 1]];
  if (!ts.isTemplateExpression(title)) return [];
  return [title.head, ...title.templateSpans.map(({ literal }) => literal)].map((one, i, all) => [
    one.getStart(source) + 1,
    one.end - (i === all.length - 1 ? 1 : 2),
  ]);
}

/** What is inside brackets, `as const` and `satisfies`; of a name, the value that this file gives it. */
function initialOf(node, values) {
  if (!node) return undefined;
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node))
    return initialOf(node.expression, values);
  return ts.isIdentifier(node) ? values.get(node.text) : node;
}

/** The initial values of the constants of a source, by name. One that two constants have is left out. */
function constantsOf(source) {
  const values = new Map();
  const walk = (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      const known = values.has(node.name.text);
      values.set(node.name.text, known || ts.isIdentifier(node.initializer) ? undefined : initialOf(node.initializer, values));
    }
    ts.forEachChild(node, walk);
  };
  walk(source);
  return values;
}

/** Whether a call gives a test its table: it.each(TABLE), describe.skipIf(x).for(TABLE). */
const isTable = (node) =>
  ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && /^(?:each|for)$/.test(node.expression.name.text);

/**
 * The cells of a table that the title shows: of a row that is a list, those at the places of %s and the like; of an
 * object, the members that $NAME names; or the row itself.
 */
function cellsOf(title, table, values) {
  const shown = ts.isStringLiteralLike(title) || ts.isTemplateExpression(title) ? title.getText() : "";
  const places = [...shown.replaceAll("%%", "").matchAll(/%[sdifjoO]|\$(\d+)/g)].map(([, at], i) => Number(at ?? i));
  const names = [...shown.matchAll(/\$([A-Za-z_]\w*)/g)].map(([, name]) => name);
  const rows = initialOf(table, values);
  if (!rows || !ts.isArrayLiteralExpression(rows)) return [];
  return rows.elements.flatMap((row) => {
    const cells = initialOf(row, values);
    if (cells && ts.isArrayLiteralExpression(cells)) return places.map((place) => cells.elements[place]);
    if (cells && ts.isObjectLiteralExpression(cells))
      return cells.properties.flatMap((one) =>
        ts.isPropertyAssignment(one) && names.includes(one.name.getText()) ? [one.initializer] : [],
      );
    return places.length > 0 ? [cells] : [];
  });
}

/** The titles of tests in a source, with spaces in place of everything else. Each ends with a stop. Lines stay. */
function titlesOf(path, text) {
  ts ??= createRequire(import.meta.url)("typescript-es5");
  const out = text.replace(/[^\n]/g, " ").split("");
  const source = ts.createSourceFile(
    path,
    text,
    { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode: ts.JSDocParsingMode.ParseNone },
    true,
  );
  const values = constantsOf(source);
  const take = (title) => {
    const parts = partsOfTitle(title, source);
    for (const [start, end] of parts) for (let i = start; i < end; i++) out[i] = text[i];
    if (parts.length) out[parts.at(-1)[1]] = ".";
  };
  const walk = (node) => {
    if (ts.isCallExpression(node) && isTestMaker(node.expression)) {
      const [title] = node.arguments;
      take(title);
      if (title && isTable(node.expression)) for (const cell of cellsOf(title, node.expression.arguments[0], values)) take(cell);
    }
    ts.forEachChild(node, walk);
  };
  walk(source);
  return out.join("");
}

/** The files with their comments alone. */
export const onlyComments = (files) => files.map(({ path, text }) => ({ path, text: commentsOf(text) }));

/** The test files with the titles of their tests alone. */
export const onlyTitles = (files) =>
  files.filter(({ text }) => /\b(?:it|test|describe)\b[^\n]*\(/.test(text)).map(({ path, text }) => ({ path, text: titlesOf(path, text) }));

/** Lines of comments with a form that comments must avoid. */
export const checkComments = (files) => checkLanguage(onlyComments(files), COMMENT_FORMS);

/** Titles of tests with a form that the style replaces. */
export const checkTitles = (files) => checkLanguage(onlyTitles(files), [...FORMS, ...COMMENT_FORMS]);

/**
 * Lines of comments with more than 120 characters, except in generated files. Code and tables in them may be longer:
 * they begin with two spaces.
 */
export const checkWidth = (files) =>
  files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, i) =>
        line.length > 120 && /^\s*(?:\/\/|\/?\*+) ?\S+ /.test(line) && !text.startsWith("// GENERATED")
          ? [`${path}:${i + 1} has ${line.length} characters: wrap comments at 120 (style in CONTRIBUTING.md)`]
          : [],
      ),
  );

/** Lines with a form of the list, except in the table of the style itself. */
export function checkLanguage(files, forms = FORMS) {
  return files.flatMap(({ path, text }) => {
    // a phrase may continue in the next line of a comment or of a paragraph; examples of the style, and code in
    // documents, are left out
    const prose = text
      .replace(/^\|.*Like this.*\n(?:\|.*\n)*/gm, (table) => table.replace(/[^\n]/g, ""))
      .replace(/\n[ \t]*(?:\/\/|\*)?[ \t]?(?=\S)/g, (gap) => " ".repeat(gap.length));
    return forms.flatMap(([pattern, advice]) =>
      [...prose.matchAll(new RegExp(pattern.source.replaceAll(" ", " +"), `${pattern.flags}i`))].map(
        (match) =>
          `${path}:${text.slice(0, match.index).split("\n").length} "${match[0].trim().replace(/ +/g, " ")}": ${advice} (style in CONTRIBUTING.md)`,
      ),
    );
  });
}

// The public API for the site: an index, and a page for each package that other programs import, with every export as
// the declarations of the build have it. TypeScript 7 has no API for programs yet, and TypeDoc wants it as a peer; what
// is needed here is little, so TypeScript 5 reads the files.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript-es5";
import { wrapped } from "./text.mjs";

const PACKAGES = fileURLToPath(new URL("../../packages/", import.meta.url));

/** { folder, name, description, entries: [[specifier, file]] } of each package with declarations for others. */
function libraries(packages) {
  return readdirSync(packages, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name: folder }) => ({ folder, ...JSON.parse(readFileSync(`${packages}${folder}/package.json`, "utf8")) }))
    .filter((p) => !p.private && p.exports)
    .map(({ folder, name, description, exports }) => ({
      folder,
      name,
      description,
      entries: Object.entries(exports).flatMap(([path, to]) =>
        to.types && path !== "./internal" ? [[name + path.slice(1), `${packages}${folder}/${to.types.slice(2)}`]] : [],
      ),
    }))
    .filter(({ entries }) => entries.length > 0)
    .sort((a, b) => a.name.localeCompare(b.name, "en"));
}

const escaped = (text) => text.replace(/(`[^`]*`|\w_\w)|[<>{}*_[\]]/g, (all, code) => code ?? `\\${all}`);

/**
 * A declaration as text: without `export declare`, and one level of indentation of two spaces. Of a namespace, all its
 * declarations.
 */
function declared(node) {
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  return whole
    .getText()
    .replace(/^(?:export )?(?:default )?(?:declare )?/gm, "")
    .replace(/^( {4})+/gm, (spaces) => "  ".repeat(spaces.length / 4))
    .trimEnd();
}

/** Tags of a comment, without their names: `tags(node, "param")`. */
const tags = (node, name) => ts.getJSDocTags(node).filter(({ tagName }) => tagName.text === name);

const textOf = (comment) => (ts.getTextOfJSDocComment(comment) ?? "").replace(/^- /, "").trim();

/** The comment above a declaration: its text, what it takes, returns and throws, and its examples. */
function comment(symbol, declarations, checker) {
  const paragraphs = ts.displayPartsToString(symbol.getDocumentationComment(checker)).split(/\n{2,}/);
  const rows = declarations.flatMap((node) => [
    ...tags(node, "param").map((tag) => `\`${tag.name.getText()}\`: ${escaped(textOf(tag.comment))}`),
    ...tags(node, "returns").map((tag) => `Returns: ${escaped(textOf(tag.comment))}`),
    ...tags(node, "throws").map((tag) => `Throws: ${escaped(textOf(tag.comment))}`),
  ]);
  return [
    ...paragraphs.filter((paragraph) => paragraph.trim()).map((paragraph) => wrapped(escaped(paragraph.trim()))),
    ...(rows.length > 0 ? [rows.map((row) => `- ${wrapped(row, "  ")}`).join("\n")] : []),
    ...declarations.flatMap((node) => tags(node, "example").map((tag) => textOf(tag.comment))),
  ].join("\n\n");
}

const KNOWN_TAGS = ["param", "returns", "throws", "example", "internal"];

/** What the comment of a declaration lacks, as the ends of sentences. */
function tagFaults(node) {
  const faults = [];
  for (const { tagName, comment: text } of ts.getJSDocTags(node)) {
    // TypeScript ends a sentence before "@firmseal/signer"
    if (!KNOWN_TAGS.includes(tagName.text)) faults.push(`has the tag @${tagName.text}: write names of packages in backticks`);
    if (tagName.text === "example" && !/^```ts\n[\s\S]*\n```$/.test(textOf(text)))
      faults.push("has an @example that is not one block of ts");
  }
  const called = ts.isVariableDeclaration(node) && node.type && ts.isFunctionTypeNode(node.type) ? node.type : node;
  if (!ts.isFunctionDeclaration(called) && !ts.isFunctionTypeNode(called)) return faults;
  const takes = called.parameters.map(({ name }) => (ts.isIdentifier(name) ? name.text : undefined));
  const said = tags(node, "param").map(({ name }) => name.getText());
  if (takes.length !== said.length || takes.some((name, i) => name !== undefined && name !== said[i]))
    faults.push(`takes (${takes.map((name) => name ?? "{ … }").join(", ")}), and its @param are (${said.join(", ")})`);
  if (tags(node, "returns").length === 0 && !/^(?:void|never|Promise<void>)$/.test(called.type?.getText() ?? "void"))
    faults.push("has no @returns");
  if (
    /(?:^|[.:;] )Throws /.test(
      ts
        .getJSDocCommentsAndTags(node)
        .filter(ts.isJSDoc)
        .map((doc) => textOf(doc.comment).replace(/\s+/g, " "))
        .join(" "),
    )
  )
    faults.push("says in its text what it throws, and not in @throws");
  return faults;
}

/** The comment of a namespace, which is where it is exported: `export * as`. */
function namespaceComment(symbol) {
  const exported = symbol.declarations?.[0]?.parent;
  const [found] = exported ? ts.getJSDocCommentsAndTags(exported) : [];
  return found ? wrapped(escaped(ts.getTextOfJSDocComment(found.comment))) : "";
}

/** Whether a declaration is for other modules of its package: an overload of a function, marked `@internal`. */
const isInternal = (declaration) => ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === "internal");

/** The part of a page about one entry of a package. What docstrings lack is added to `undocumented`. */
function entryPart([specifier, file], program, undocumented) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  if (!source) throw new Error(`${file} is not there: build first`);
  const module = checker.getSymbolAtLocation(source);
  const exports = module ? checker.getExportsOfModule(module) : [];
  const parts = [`## ${specifier}`];
  const constants = [];
  for (const one of exports.sort((a, b) => a.name.localeCompare(b.name, "en"))) {
    const symbol = one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one;
    const declarations = (symbol.declarations ?? []).filter((declaration) => !isInternal(declaration));
    const text = declarations.map(declared).join("\n");
    // tables of numbers are one block
    if (/^const \w+(?:: number;| = [-\d]+;)$/.test(text)) {
      constants.push(text);
      continue;
    }
    parts.push(`### ${one.name}`, `\`\`\`ts\n${text}\n\`\`\``);
    const words = comment(symbol, declarations, checker) || namespaceComment(one);
    if (words) parts.push(words);
    else undocumented.push(`${specifier}: ${one.name} has no docstring`);
    for (const fault of declarations.flatMap(tagFaults)) undocumented.push(`${specifier}: ${one.name} ${fault}`);
  }
  if (constants.length > 0) parts.splice(1, 0, `\`\`\`ts\n${constants.join("\n")}\n\`\`\``);
  return parts.join("\n\n");
}

/**
 * Reads the declarations in the folder `packages`. Returns { pages, undocumented }: { path, text } of each page, and a
 * message for each export without a docstring, and for each function whose tags do not say what it takes and returns.
 * Throws if a declaration is missing.
 */
export function apiPages(packages = PACKAGES) {
  const all = libraries(packages);
  const files = all.flatMap(({ entries }) => entries.map(([, file]) => file));
  // the types of the language take as long to read as all of ours, and are in no page
  const options = { module: ts.ModuleKind.Node16, target: ts.ScriptTarget.ES2022, types: [], noLib: true, skipLibCheck: true };
  const program = ts.createProgram(files, options);
  const rows = all.map(({ folder, name, description }) => `| [\`${name}\`](api/${folder}.md) | ${description} |`);
  const index = `# Public API

Every export of every package. The README of each package shows how to use it.

| Package | What it is |
| ------- | ---------- |
${rows.join("\n")}
`;
  const undocumented = [];
  const pages = all.map(({ folder, name, description, entries }) => ({
    path: `docs/reference/api/${folder}.md`,
    text: `# ${name}

${wrapped(`${escaped(description)}. The [README](../../../packages/${folder}/README.md) shows how to use it.`)}

${entries.map((entry) => entryPart(entry, program, undocumented)).join("\n\n")}
`,
  }));
  return { pages: [{ path: "docs/reference/api.md", text: index }, ...pages], undocumented };
}

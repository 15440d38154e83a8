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

/** The comment above a declaration, with its examples. */
function comment(symbol, checker) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const examples = symbol
    .getJsDocTags(checker)
    .filter(({ name }) => name === "example")
    .map((tag) => `\`\`\`js\n${ts.displayPartsToString(tag.text)}\n\`\`\``);
  return [
    ...text
      .split(/(^```[\s\S]*?^```$)|\n{2,}/m)
      .filter((paragraph) => paragraph?.trim())
      .map((paragraph) => (paragraph.startsWith("```") ? paragraph : wrapped(escaped(paragraph.trim())))),
    ...examples,
  ].join("\n\n");
}

/** The comment of a namespace, which is where it is exported: `export * as`. */
function namespaceComment(symbol) {
  const exported = symbol.declarations?.[0]?.parent;
  const [found] = exported ? ts.getJSDocCommentsAndTags(exported) : [];
  return found ? wrapped(escaped(ts.getTextOfJSDocComment(found.comment))) : "";
}

/** Whether a declaration is for other modules of its package: an overload of a function, marked `@internal`. */
const isInternal = (declaration) => ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === "internal");

/** The part of a page about one entry of a package. Exports without a docstring are added to `undocumented`. */
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
    const words = comment(symbol, checker) || namespaceComment(one);
    if (words) parts.push(words);
    else undocumented.push(`${specifier}: ${one.name} has no docstring`);
  }
  if (constants.length > 0) parts.splice(1, 0, `\`\`\`ts\n${constants.join("\n")}\n\`\`\``);
  return parts.join("\n\n");
}

/**
 * Reads the declarations in the folder `packages`. Returns { pages, undocumented }: { path, text } of each page, and a
 * message for each export without a docstring. Throws if a declaration is missing.
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

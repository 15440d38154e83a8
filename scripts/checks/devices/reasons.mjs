// The reasons that comments give. A bundle has no comments: they are those of the module that a function comes from.

/** A function of a module with the comment in front of it, or nothing. */
function textOf(source, name) {
  const at = source.search(new RegExp(`^(?:export )?function ${name}\\(`, "m"));
  if (at < 0) return undefined;
  const before = source.slice(0, at);
  const doc = /(?:^\/\/.*\n|^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)+(?![\s\S])/m.exec(before)?.[0] ?? "";
  const end = source.indexOf("\n}", at);
  return doc + source.slice(at, end < 0 ? undefined : end);
}

/** The comments in a text. */
export const comments = (text) => (text.match(/\/\*[\s\S]*?\*\/|\/\/.*$/gm) ?? []).join("\n");

/**
 * { module, name, text } of a statement at the top of the verifier in one scope: the comments of the function that it
 * declares. `modules`: the module of each name; `read`: the source of a module. A bundler may have put a number behind
 * a name that two modules have.
 */
export function commentsOf(node, modules, read) {
  const name = node.id?.name ?? node.declarations?.[0]?.id.name ?? "?";
  const module = modules[name];
  const source = module ? read(module) : "";
  const text = textOf(source, name) ?? textOf(source, name.replace(/\d+$/, "")) ?? "";
  return { module: module ?? "?", name, text: comments(text) };
}

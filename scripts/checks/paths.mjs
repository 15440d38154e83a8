// Files that comments name. A reader looks for them, so a file that has moved takes its name along.

const COMMENT = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(\/\*[\s\S]*?\*\/|\/\/.*$)/gm;
/** A name with an extension of ours. Third-party files mostly have different ones. */
const NAMED = /(?<![\w./$<{:@-])(?:\.\.?\/)*((?:[\w.-]+\/)*[\w-][\w.-]*\.(?:ts|mts|mjs|md))\b(?![\w/-])/g;

/** Names in comments of `files` that no path in `tracked` is or ends with. NAME is any name. */
export function checkPaths(files, tracked) {
  const known = new Set(tracked.flatMap((path) => path.split("/").map((_, at, parts) => parts.slice(at).join("/"))));
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(COMMENT)].flatMap(([, comment = ""]) =>
      [...comment.matchAll(NAMED)].flatMap(([, name]) =>
        known.has(name) || name.includes("NAME") ? [] : [`${path}: its comment names ${name}, which does not exist`],
      ),
    ),
  );
}

// Biome leaves comments as they are, and no rule of it limits their lines.

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

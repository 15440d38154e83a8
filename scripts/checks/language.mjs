// Forms that the style of CONTRIBUTING.md replaces, where a pattern finds them: in documents, in the sources of the packages, and in the
// comments of other sources.

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
  [/\b[Ww]hoever\b/g, "name the actor: the caller, the device, an attacker"],
  [/\b(?:another [a-z]+|other [a-z]+s) than\b/g, 'write "a different X from", or say what it is not'],
  [/\belse than\b/g, 'write "other than"'],
  [/\b(?:comes?|came) by (?:itself|themselves)\b/g, "name what it comes without"],
  [
    /, for (?:it|they|these|those|this|he|she|nobody|nothing|no) (?:is|are|has|have|was|were|never|does|do|can|must|cannot|would|could)\b/g,
    'write "because"',
  ],
  [/\b(?:is|are|was|were|be|been|not|only) looked at\b/g, 'write "checked" or "examined"'],
  [/\b[Ww]hat becomes of\b/g, 'write "what happens to"'],
  [/\b(?:go|goes|went|gone) on with(?:out)?\b/g, 'write "continue"'],
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
  [/\bcannot be had\b/g, 'write "is not available"'],
  [/\b(?:is|are|was|were) passed over\b/g, 'write "is ignored" or "is skipped"'],
  [/\b(?:leave|leaves|left) (?:itself|themselves) out\b/g, 'write "skip"'],
  [/\bput together\b/g, 'write "assembled", "combined" or "grouped"'],
  [/\b(?:without a word|in silence)\b/g, 'write "silently"'],
  [/(?:^|[*/] |\. )Whom\b/gm, '"the keys that a device trusts"'],
];

/** Forms that only comments must avoid. */
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

/** The files with their comments alone. */
export const onlyComments = (files) => files.map(({ path, text }) => ({ path, text: commentsOf(text) }));

/** Lines of comments with a form that comments must avoid. */
export const checkComments = (files) => checkLanguage(onlyComments(files), COMMENT_FORMS);

/** Lines with a form of the list, except in the table of the style itself. */
export function checkLanguage(files, forms = FORMS) {
  return files.flatMap(({ path, text }) => {
    // a phrase may go on in the next line of a comment or of a paragraph; examples of the style, and code in documents, are left out
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

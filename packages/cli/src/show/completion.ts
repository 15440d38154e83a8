// Completion: what could follow the words on a command line, and the scripts that ask for it when a person presses Tab.
// Not by a library: the known ones let bash evaluate the words, and so run what a person has only typed.

import type { AnyCommand, Listed } from "../command.js";
import { GLOBAL_OPTIONS, optionsOf } from "../command.js";

export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/** What can be typed next, and what it is. */
interface Candidate {
  value: string;
  what: string;
}

const isWanted =
  (begin: string) =>
  ({ value }: Candidate) =>
    value.startsWith(begin);

/** The next words of all commands whose names begin with these words. */
function names(before: readonly string[], commands: readonly Listed[], groups: { readonly [name: string]: string }): Candidate[] {
  const found = new Map<string, string>();
  for (const { name, summary } of commands) {
    const parts = name.split(" ");
    const next = parts[before.length];
    if (next === undefined || !before.every((word, i) => parts[i] === word)) continue;
    found.set(next, parts.length > before.length + 1 ? (groups[next] ?? summary) : summary);
  }
  return [...found].map(([value, what]) => ({ value, what }));
}

/** What can follow in a command. Nothing: the shell offers files. */
function inCommand(command: AnyCommand, before: readonly string[], begin: string): Candidate[] {
  const options = optionsOf(command);
  const last = before.at(-1);
  const open = options.find((one) => one.required && (last === one.long || last === one.short));
  if (open) return (open.argChoices ?? []).map((value) => ({ value, what: "" }));
  if (begin.startsWith("-") && !before.includes("--"))
    return options.flatMap(({ long, description }) => (long ? [{ value: long, what: description }] : []));
  return (command.arguments ?? []).flatMap((one) => (one.argChoices ?? []).map((value) => ({ value, what: one.description })));
}

/**
 * The candidates for the last of `words`, one in a line: value, tab, what it is. Without a line, the shell offers
 * files. `load`: the command in the words before.
 */
export async function completionLines(
  words: readonly string[],
  load: () => Promise<AnyCommand | undefined>,
  commands: readonly Listed[],
  groups: { readonly [name: string]: string },
): Promise<string> {
  const before = words.slice(0, -1);
  const begin = words.at(-1) ?? "";
  const command = await load();
  const globals = GLOBAL_OPTIONS.map((value) => ({ value: value as string, what: "for every command" }));
  const own = command ? inCommand(command, before, begin) : begin.startsWith("-") ? globals : names(before, commands, groups);
  return own
    .filter(isWanted(begin))
    .map(({ value, what }) => `${value}\t${what}\n`)
    .join("");
}

// Each script passes the words as arguments, never as text that a shell evaluates.
const SCRIPTS: { readonly [shell in Shell]: string } = {
  bash: `# firmseal completion bash > ~/.local/share/bash-completion/completions/firmseal
_firmseal() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(firmseal complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _firmseal firmseal
`,
  zsh: `#compdef firmseal
# firmseal completion zsh > ~/.zfunc/_firmseal, with ~/.zfunc in fpath
_firmseal() {
  local line
  local -a found
  for line in "\${(@f)$(firmseal complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#found )); then _describe firmseal found; else _files; fi
}
if [[ $funcstack[1] == _firmseal ]]; then _firmseal "$@"; else compdef _firmseal firmseal; fi
`,
  fish: `# firmseal completion fish > ~/.config/fish/completions/firmseal.fish
function __firmseal_complete
  set -l words (commandline -opc) (commandline -ct)
  firmseal complete -- $words[2..-1] 2>/dev/null
end
complete -c firmseal -a '(__firmseal_complete)'
`,
  powershell: `# firmseal completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName firmseal -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '' }
  & firmseal complete '--' @words 2>$null | ForEach-Object {
    $value, $what = $_ -split "\`t", 2
    if (-not $what) { $what = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $what)
  }
}
`,
};

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

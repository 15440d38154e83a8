import { commandArgument, define } from "../../command.js";
import { completionScript, SHELLS, type Shell } from "../../show/completion.js";

export default define({
  name: "completion",
  summary: "write a script that lets a shell complete firmseal's commands and options",
  arguments: [commandArgument("<shell>", "the shell", { choices: SHELLS })],
  examples: [
    ["firmseal completion bash > ~/.local/share/bash-completion/completions/firmseal", "for bash"],
    ["firmseal completion fish > ~/.config/fish/completions/firmseal.fish", "for fish"],
  ],
  json: {
    shell: ["string", "the shell"],
    script: ["string", "the script"],
  },
  run: (shell: Shell) => ({ shell, script: completionScript(shell) }),
  words: ({ script }) => [{ bytes: Buffer.from(script) }],
});

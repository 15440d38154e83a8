// What a person is told while a key is in use. The packages below the command line print nothing: whoever uses them says who listens.

/** How far long work has come. */
export interface ProgressBar {
  at(done: number): void;
  end(): void;
}

export interface Listener {
  /** What may be a mistake, or will be one soon. One line. */
  warn(text: string): void;
  /** What is good to know. One line. `danger`: what a person must not overlook. */
  say(text: string, how?: "danger"): void;
  /** Long work begins: `total` steps of it. */
  progress(what: string, total: number): ProgressBar;
}

let listener: Listener = {
  warn: (text) => process.emitWarning(text, "FirmsealWarning"),
  say() {},
  progress: () => ({ at() {}, end() {} }),
};

/** Says who listens, for the whole process. Where nobody does, warnings are those of the process (`process.on("warning")`). */
export function listen(to: Listener): void {
  listener = to;
}

export function warn(text: string): void {
  listener.warn(text);
}

export function notice(text: string, how?: "danger"): void {
  listener.say(text, how);
}

export function progress(what: string, total: number): ProgressBar {
  return listener.progress(what, total);
}

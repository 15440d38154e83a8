// Variables of the environment that hold secrets. A program that is started inherits the environment as it then is, and a plug-in that
// signs with one key must not get the passphrase of another.

const taken = new Map<string, string>();

/** The value of a variable, which from here on is not in the environment any more; undefined where there is none. */
export function take(name: string): string | undefined {
  // not what every object has: env:__proto__
  const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
  if (value === undefined) return taken.get(name);
  taken.set(name, value);
  delete process.env[name];
  return value;
}

export function keptKeys(of: string): Map<string, Uint8Array>;
export function nameOfKey(numbers: unknown, salt: Uint8Array, passphrase: Uint8Array): string;

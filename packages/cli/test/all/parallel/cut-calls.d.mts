export function copyFolder(from: string, to: string): void;

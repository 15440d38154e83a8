export function commandTable(): string;

export function onPath(command: string): boolean;

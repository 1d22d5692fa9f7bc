/** Converts `cpuMs` to `cpu_ms`, as JSON names it. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

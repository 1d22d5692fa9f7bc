/** Formats numbers for people. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** `118.2 MiB`. */
export function formatBytes(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `412 µs`, `41.2 ms`, `3.214 s`, `2 min 03.4 s`, `1 h 02 min 03 s`. */
export function formatDuration(ns: bigint): string {
  const us = Number(ns) / 1e3;
  if (us < 1_000) return `${us.toFixed(0)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(1)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(3)} s`;
  const seconds = us / 1e6;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min ${(seconds - minutes * 60).toFixed(1).padStart(4, '0')} s`;
  }
  const rest = Math.floor(seconds - minutes * 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min ${twoDigits(rest)} s`;
}

/** `89 %`, `4.2 %`, `0.03 %`: about two significant digits. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent >= 10 || percent === 0) return `${percent.toFixed(0)} %`;
  return `${percent.toFixed(percent >= 1 ? 1 : 2)} %`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `memory`, `memory and io`, `cpu, memory and io`. */
export function listOf(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Node decodes arguments and environment as UTF-8: other bytes would reach the command altered. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/** Node substitutes this for bytes that are not UTF-8; an argument may also contain it as a character. */
const REPLACEMENT = '\uFFFD';

/**
 * The indices of the arguments that Node altered. If `/proc` cannot be read, every argument with the replacement
 * character counts as altered.
 */
export function alteredArguments(args: readonly string[], procRoot = '/proc'): number[] {
  const given = partsOf(`${procRoot}/self/cmdline`)?.slice(-args.length);
  return [...args.keys()].filter((at) => {
    if (!args[at]?.includes(REPLACEMENT)) return false;
    const bytes = given?.[at];
    return bytes === undefined || !isUtf8(bytes);
  });
}

/** Returns the names, as Node decodes them, of the variables that would reach the command altered. */
export function alteredVariables(procRoot = '/proc'): string[] {
  const given = partsOf(`${procRoot}/self/environ`) ?? [];
  return given
    .filter((bytes) => !isUtf8(bytes))
    .map((bytes) => String(bytes).split('=', 1)[0] ?? '');
}

/** Returns null if the file cannot be read. */
function partsOf(file: string): Buffer[] | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return null;
  }
  const parts: Buffer[] = [];
  for (let from = 0, to = bytes.indexOf(0); to >= 0; from = to + 1, to = bytes.indexOf(0, from)) {
    parts.push(bytes.subarray(from, to));
  }
  return parts;
}

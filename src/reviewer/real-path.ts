import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The path without links among its directories, as far as these are there. */
export async function realPathOf(path: string): Promise<string> {
  const directory = dirname(path);
  if (directory === path) return path;
  const real = await realpath(directory).catch(() => realPathOf(directory));
  return join(real, basename(path));
}

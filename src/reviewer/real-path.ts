import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Resolves the links among the directories of a path, as far as these exist. */
export async function realPathOf(path: string): Promise<string> {
  const directory = dirname(path);
  if (directory === path) return path;
  const real = await realpath(directory).catch(() => realPathOf(directory));
  return join(real, basename(path));
}

/** What `execvp` would find, for a launcher that cannot distinguish a failed exec from a failed command. */
import { accessSync, constants, statSync } from 'node:fs';
import { posix } from 'node:path';

export type CommandLookup = 'found' | 'not-found' | 'not-executable';

/** Looks `command` up as `execvp` does: as a path if it has a slash, else in the directories of `searchPath`. */
export function lookUpCommand(
  command: string,
  searchPath: string | undefined,
  cwd: string,
): CommandLookup {
  if (command === '') return 'not-found';
  if (command.includes('/')) return lookAt(posix.resolve(cwd, command));
  let result: CommandLookup = 'not-found';
  for (const directory of (searchPath ?? '/bin:/usr/bin').split(':')) {
    const at = lookAt(posix.resolve(cwd, directory, command));
    if (at === 'found') return at;
    if (at === 'not-executable') result = at;
  }
  return result;
}

function lookAt(path: string): CommandLookup {
  try {
    if (!statSync(path).isFile()) return 'not-executable';
  } catch {
    return 'not-found';
  }
  try {
    accessSync(path, constants.X_OK);
    return 'found';
  } catch {
    return 'not-executable';
  }
}

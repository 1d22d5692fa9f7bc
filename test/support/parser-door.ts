/** The native parsers, in a test-only addon: native/test/parser_door. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ParseOutcome } from './kernel-texts.js';

interface ParserDoor {
  /** The names of the texts, indexed by the `kind` of `parse`. */
  readonly names: readonly string[];
  parse(kind: number, text: Uint8Array): ParseOutcome;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ADDON = join(ROOT, 'native/test/parser_door/build/Release/parser_door.node');

/** Builds the addon if it is missing or older than its sources. */
export function buildParserDoor(): void {
  const built = statSync(ADDON, { throwIfNoEntry: false });
  if (built !== undefined && sources().every((path) => statSync(path).mtimeMs <= built.mtimeMs)) {
    return;
  }
  console.log('building native/test/parser_door, with which the native parsers are tested');
  // With `npm run`, node-gyp gets npm's settings, such as where the headers of Node.js are.
  const { error, status, stdout, stderr } = spawnSync('npm', ['run', 'build:parser-door'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status === 0) return;
  throw new Error(
    `native/test/parser_door was not built (${error?.message ?? `npm run build:parser-door exited with ${status}`}). ` +
      'It needs a C++20 compiler, make and python3: install them, or leave the native engine out of the tests ' +
      `with EPISCOPE_TEST_ENGINE=js\n${stdout ?? ''}${stderr ?? ''}`,
  );
}

function sources(): string[] {
  return [
    ...filesOf('native/core', /^parse_.*\.cc$|\.h$/),
    ...filesOf('native/test', /^parse_any\./),
    ...filesOf('native/test/parser_door', /\.(cc|gyp)$/),
    ...filesOf('native/addon', /^node_addon_api\.h$/),
  ];
}

function filesOf(directory: string, name: RegExp): string[] {
  return readdirSync(join(ROOT, directory))
    .filter((entry) => name.test(entry))
    .map((entry) => join(ROOT, directory, entry));
}

export function loadParserDoor(): ParserDoor {
  return createRequire(import.meta.url)(ADDON);
}

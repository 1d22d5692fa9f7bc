/** The shell commands of the documents: which are run, and what is known of the others. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './markdown.js';

const { scripts }: { readonly scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);

export interface Command {
  readonly text: string;
  /** Why it is not run; null: it is. */
  readonly notRun: string | null;
}

/** A block of commands, one a line, with comments. */
export function commandsOf(code: string): Command[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '')
    .flatMap((line) => line.split(' && '))
    .map((text) => ({ text, notRun: whyNotRun(text) }));
}

/** Throws for a script or a file that does not exist. */
function whyNotRun(text: string): string | null {
  if (/^npx episcope /.test(text)) return null;
  const script = /^npm (?:run )?(?:--silent )?([\w:]+)/.exec(text)?.[1];
  if (script === 'ci' || script === 'install' || script === 'rebuild') {
    return 'it would replace what the tests run on';
  }
  if (script !== undefined) {
    if (scripts[script] === undefined) throw new Error(`package.json has no script ${script}`);
    return `the script ${script} exists; it builds, tests or measures beside these tests`;
  }
  const tests = /^npx vitest run (.*)$/.exec(text)?.[1]?.split(' ') ?? [];
  for (const path of tests) assertFile(path);
  if (tests.length > 0) return 'it would run tests within tests';
  const file = /^(?:bash|node|sh) ([\w./-]+)/.exec(text)?.[1];
  if (file !== undefined) {
    assertFile(file);
    return file.startsWith('dist/')
      ? null
      : `the file ${file} exists; it builds, tests or measures`;
  }
  throw new Error(`nobody knows how to check this command: ${text}`);
}

/** What a session in a terminal shows: each command after `$ `, then what it printed. */
export function sessionOf(code: string): { readonly command: string; readonly shown: string }[] {
  const steps: { command: string; shown: string }[] = [];
  for (const line of code.split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: '' });
    else if (steps.length === 0) throw new Error(`a session begins with a command: ${line}`);
    else (steps.at(-1) as { shown: string }).shown += `${line}\n`;
  }
  return steps;
}

function assertFile(path: string): void {
  if (!existsSync(join(ROOT, path))) throw new Error(`there is no ${path}`);
}

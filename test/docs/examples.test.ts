/** Every code block of the documents is run, or the report says why it is not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../support/scratch.js';
import { commandsOf, sessionOf } from './commands.js';
import { fileOf, moduleOf, typeErrors } from './compile.js';
import { type CodeBlock, codeBlocks, DOCUMENTS, ROOT } from './markdown.js';
import { linesMissing } from './output.js';
import { Sandbox, whyNotHere } from './sandbox.js';

const sandbox = new Sandbox(scratch());
const blocks = DOCUMENTS.flatMap(codeBlocks);
const isTypeScript = ({ language, fragmentOf }: CodeBlock) =>
  fragmentOf === null && (language === 'ts' || language === 'js');
const errors = typeErrors(blocks.filter(isTypeScript));

function tellNotRun({ document, line }: CodeBlock, what: string, why: string): void {
  console.log(`${document}:${line}: ${what} is not run: ${why}`);
}

/** Told where the block is not run; null where it is. */
function whyNotRun(block: CodeBlock): string | null {
  return block.notRun ?? (block.needs === null ? null : whyNotHere(block.needs));
}

async function runModule(block: CodeBlock): Promise<void> {
  expect(errors.get(fileOf(block))).toEqual([]);
  const why = whyNotRun(block);
  if (why !== null) return tellNotRun(block, 'the module', `${why}; its types are checked`);
  const name = `block-${block.document.replaceAll(/\W/g, '-')}-${block.line}`;
  const { status, output } = await sandbox.module(name, moduleOf(block), block.inWorker);
  expect(status, output).toBe(0);
  // What a line prints, exactly: `console.log(…); // → …`.
  const shown = Array.from(block.code.matchAll(/; \/\/ → (.*)$/gm), ([, text]) => text);
  const printed = output.split('\n');
  expect(printed.filter((line) => shown.includes(line))).toEqual(shown);
}

/** What a fragment calls and names is in the file that it is a fragment of. */
function findFragment(block: CodeBlock, file: string): void {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const names = block.code.match(/\b[A-Za-z_]\w*(?=\(|<|:|\.[A-Z])/g) ?? [];
  expect(names.filter((name) => !text.includes(name))).toEqual([]);
  tellNotRun(block, 'the fragment', `it belongs into ${file}, which has what it names`);
}

async function runCommands(block: CodeBlock): Promise<void> {
  const why = whyNotRun(block);
  if (why !== null) return tellNotRun(block, 'the block', why);
  for (const { text, notRun } of commandsOf(block.code)) {
    if (notRun !== null) {
      tellNotRun(block, `\`${text}\``, notRun);
      continue;
    }
    const { status, output } = await sandbox.shell(text);
    expect(status, `${text}\n${output}`).toBe(0);
  }
}

async function runSession(block: CodeBlock): Promise<void> {
  const why = whyNotRun(block);
  if (why !== null) return tellNotRun(block, 'the session', why);
  const steps = sessionOf(block.code);
  const mark = '-- the next command --';
  // In one shell, so that `$?` is that of the command before.
  const script = steps.map(({ command }) => `${command}\n(s=$?; echo; echo '${mark}'; exit $s)\n`);
  const { output } = await sandbox.shell(`exec 2>&1\n${script.join('')}`);
  const printed = output.split(mark);
  steps.forEach(({ command, shown }, i) => {
    expect(linesMissing(shown, printed[i] ?? ''), `${command}\n${printed[i]}`).toEqual([]);
  });
}

const RUNNERS: Readonly<Record<string, (block: CodeBlock) => Promise<void> | void>> = {
  ts: runModule,
  js: runModule,
  sh: runCommands,
  console: runSession,
  json: ({ code }) => void JSON.parse(code),
  // Pictures and formats.
  text: () => {},
};

describe.each([...new Set(blocks.map(({ document }) => document))])(
  'the code blocks of %s',
  (document) => {
    for (const block of blocks.filter((each) => each.document === document)) {
      it(`line ${block.line}: ${block.language}`, async () => {
        if (block.fragmentOf !== null) return findFragment(block, block.fragmentOf);
        const run = RUNNERS[block.language];
        if (run === undefined) throw new Error(`a code block of the kind "${block.language}"`);
        await run(block);
      }, 240_000);
    }
  },
);

/** The documents, and what the tests look at in them: code blocks, links, names of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** Relative to the root. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/**
 * A fenced code block. The comment before it says what it needs to run:
 *
 *     <!-- example: given pid, collector; in a worker; needs a cgroup; not run: why -->
 */
export interface CodeBlock {
  readonly document: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** Names from `given.ts`. */
  readonly given: readonly string[];
  readonly inWorker: boolean;
  /** What the host must offer, or null. */
  readonly needs: string | null;
  /** Why it is not run, or null. */
  readonly notRun: string | null;
}

const EXAMPLE = /^<!-- example: (.*) -->$/;
const FENCE = /^```(\S*)$/;

export function codeBlocks(document: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = textOf(document).split('\n');
  let directives = '';
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    const language = FENCE.exec(line)?.[1];
    if (language !== undefined) {
      const end = lines.indexOf('```', i + 1);
      if (end < 0) throw new Error(`${document}:${i + 1}: the code block has no end`);
      const code = lines.slice(i + 1, end).join('\n');
      blocks.push({ document, line: i + 1, language, code, ...parsed(directives) });
      i = end;
    }
    if (line.trim() !== '') directives = EXAMPLE.exec(line)?.[1] ?? '';
  }
  return blocks;
}

function parsed(directives: string): Pick<CodeBlock, 'given' | 'inWorker' | 'needs' | 'notRun'> {
  const found = { given: [] as string[], inWorker: false, needs: null, notRun: null };
  for (const directive of directives.split('; ').filter(Boolean)) {
    const [, kind, rest = ''] = /^(given|in a worker|needs|not run:) ?(.*)$/.exec(directive) ?? [];
    if (kind === 'given') found.given.push(...rest.split(', '));
    else if (kind === 'in a worker') found.inWorker = true;
    else if (kind === 'needs') Object.assign(found, { needs: rest });
    else if (kind === 'not run:') Object.assign(found, { notRun: rest });
    else throw new Error(`unknown directive of an example: ${directive}`);
  }
  return found;
}

/** The text without its code blocks. */
export function proseOf(document: string): string {
  return textOf(document).replace(/^```[\s\S]*?^```$/gm, '');
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: string): Set<string> {
  const headings = proseOf(document).matchAll(/^#+ (.*)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

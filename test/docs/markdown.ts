/** The documents, and what the tests look at in them: code blocks, links, names of files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** Relative to the root. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'native/model/README.md',
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
 *     <!-- example: given pid, collector; in a worker; needs a cgroup; not run: why; fragment of file -->
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
  /** The file that has lines such as these, which are no program of their own; or null. */
  readonly fragmentOf: string | null;
}

const EXAMPLE = /^ *<!-- example: (.*) -->$/;
const FENCE = /^( *)```(\S*)$/;

export function codeBlocks(document: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = textOf(document).split('\n');
  let directives = '';
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    const fence = FENCE.exec(line);
    if (fence !== null) {
      const [, indent = '', language = ''] = fence;
      const end = lines.indexOf(`${indent}\`\`\``, i + 1);
      if (end < 0) throw new Error(`${document}:${i + 1}: the code block has no end`);
      const code = lines.slice(i + 1, end).map((each) => each.slice(indent.length));
      const block = { document, line: i + 1, language, code: code.join('\n') };
      blocks.push({ ...block, ...directivesOf(directives) });
      i = end;
    }
    if (line.trim() !== '') directives = EXAMPLE.exec(line)?.[1] ?? '';
  }
  return blocks;
}

const DIRECTIVE = /^(given|in a worker|needs|not run:|fragment of) ?(.*)$/;

function directivesOf(
  directives: string,
): Omit<CodeBlock, 'document' | 'line' | 'language' | 'code'> {
  const rests = new Map<string, string>();
  for (const directive of directives.split('; ').filter(Boolean)) {
    const [, kind, rest = ''] = DIRECTIVE.exec(directive) ?? [];
    if (kind === undefined) throw new Error(`unknown directive of an example: ${directive}`);
    rests.set(kind, rest);
  }
  return {
    given: rests.get('given')?.split(', ') ?? [],
    inWorker: rests.has('in a worker'),
    needs: rests.get('needs') ?? null,
    notRun: rests.get('not run:') ?? null,
    fragmentOf: rests.get('fragment of') ?? null,
  };
}

/** The text without its code blocks. */
export function proseOf(document: string): string {
  return textOf(document).replace(/^( *)```[\s\S]*?^\1```$/gm, '');
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

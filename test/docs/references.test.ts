/** What the documents and the code say of each other exists: files, links, invariants. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import * as episcope from 'episcope';
import { describe, expect, it } from 'vitest';
import { sourceModules } from '../support/module-graph.js';
import { anchorsOf, codeBlocks, DOCUMENTS, proseOf, ROOT, textOf } from './markdown.js';

const ID = /\b(?:INV|CTR)-[A-Z]+\d+\b/g;

/** Also what is not committed yet. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));
const sources = files.filter((file) =>
  /^(src|native|schema|test|bench)\/.*\.(ts|mjs|cc|h|c|txt)$/.test(file),
);
const sourceTexts = new Map(sources.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

function idsIn(text: string): Set<string> {
  return new Set(text.match(ID));
}

/** The ids in the first column of the contract's table. */
const defined = new Set(
  Array.from(
    textOf('docs/contract.md').matchAll(/^\| ((?:INV|CTR)-[A-Z]+\d+) \|/gm),
    ([, id]) => id,
  ),
);

describe('the invariants of docs/contract.md', () => {
  it('are all that code, tests and documents cite', () => {
    const documents = DOCUMENTS.map((file): [string, string] => [file, textOf(file)]);
    const unknown = [...sourceTexts, ...documents].flatMap(([file, text]) =>
      Array.from(idsIn(text))
        .filter((id) => !defined.has(id))
        .map((id) => `${file}: ${id}`),
    );
    expect(defined.size).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });

  it('are each named by a test', () => {
    const tests = Array.from(sourceTexts).filter(([file]) => /^(test|native\/test)\//.test(file));
    const named = idsIn(tests.map(([, text]) => text).join('\n'));
    expect(Array.from(defined).filter((id) => !named.has(id as string))).toEqual([]);
  });
});

it('the error codes of docs/contract.md are those of src/error/codes.ts', () => {
  const codesIn = (text: string) => [...new Set(text.match(/ERR_[A-Z0-9_]+/g))].sort();
  const table = textOf('docs/contract.md').match(/^\| class \| codes \|\n(?:\|.*\n)+/m)?.[0] ?? '';
  expect(codesIn(table)).toEqual(codesIn(textOf('src/error/codes.ts')));
});

it('constants have the values that the documents give in parentheses', () => {
  const exported: Readonly<Record<string, unknown>> = { ...episcope };
  const given = DOCUMENTS.flatMap((document) =>
    Array.from(
      textOf(document).matchAll(/`([A-Z][A-Z_]+)` \(([\d,]+)\)/g),
      ([, name = '', value = '']) => ({
        [name]: Number(value.replaceAll(',', '')),
      }),
    ),
  );
  expect(given.length).toBeGreaterThan(0);
  expect(exported).toMatchObject(Object.assign({}, ...given));
});

/** `file` or `file#anchor`, from the directory of the document. */
function whyDead(from: string, target: string): string | null {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path));
  if (!existsSync(join(ROOT, file))) return `${from}: there is no ${target}`;
  if (anchor === undefined || anchorsOf(file).has(anchor)) return null;
  return `${from}: there is no heading for ${target}`;
}

it('every link of the documents leads somewhere', () => {
  const dead = DOCUMENTS.flatMap((document) =>
    Array.from(proseOf(document).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
      .filter((target) => !target.includes('://'))
      .map((target) => whyDead(document, target)),
  );
  expect(dead.filter((each) => each !== null)).toEqual([]);
});

it('every path that the documents name exists, but for what is built', () => {
  const path =
    /(?<![\w./-])((?:src|native|schema|test|bench|docs|\.ci)\/[\w./*-]*|[A-Z][\w]+\.(?:md|txt))/g;
  const missing = DOCUMENTS.flatMap((document) =>
    Array.from(textOf(document).matchAll(path), ([, named = '']) => named.replace(/[.:]$/, ''))
      .filter((named) => !exists(named) && !exists(join(dirname(document), named)))
      .map((named) => `${document}: ${named}`),
  );
  expect(missing).toEqual([]);
});

it('every method of C++ that the documents name exists', () => {
  const texts = Array.from(sourceTexts)
    .filter(([file]) => file.startsWith('native/'))
    .map(([, text]) => text);
  const unknown = DOCUMENTS.flatMap((document) =>
    Array.from(textOf(document).matchAll(/\b([A-Z]\w+)::(\w+)/g))
      .filter(([, type = '', method = '']) => {
        const declares = (text: string) =>
          text.includes(`class ${type}`) && text.includes(`${method}(`);
        return !texts.some(declares);
      })
      .map(([name]) => `${document}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

/** A path, or a pattern with `*` of which there is at least one. */
function exists(named: string): boolean {
  if (!named.includes('*')) return existsSync(join(ROOT, named));
  const pattern = new RegExp(`^${named.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  return files.some((file) => pattern.test(file));
}

it('the layers in the picture of docs/architecture.md are those that the imports have', () => {
  const [picture = ''] = codeBlocks('docs/architecture.md').map(({ code }) => code);
  const rows = Array.from(picture.matchAll(/^│ ([a-z ]+) │/gm), ([, names = '']) =>
    names.trim().split(/ +/),
  );
  const rowOf = (file: string) =>
    rows.findIndex((names) => names.includes(file.split('/')[0] ?? ''));
  const graph = [...sourceModules()].filter(([file]) => file !== 'index.ts');
  expect(graph.filter(([file]) => rowOf(file) < 0)).toEqual([]);
  const upward = graph.flatMap(([from, { imports }]) =>
    imports
      .filter((to) => !to.startsWith('../') && from.split('/')[0] !== to.split('/')[0])
      .filter((to) => rowOf(to) <= rowOf(from))
      .map((to) => `${from} imports ${to}`),
  );
  expect(upward).toEqual([]);
});

it('every document that the code cites has the heading that it names', () => {
  const cited = /\bdocs\/[\w-]+\.md(?:#[\w-]+)?/g;
  const dead = Array.from(sourceTexts).flatMap(([file, text]) =>
    Array.from(text.match(cited) ?? [])
      .filter((target) => whyDead('README.md', target) !== null)
      .map((target) => `${file}: ${target}`),
  );
  expect(dead).toEqual([]);
});

it('the README is at most 9 KB', () => {
  expect(Buffer.byteLength(textOf('README.md'))).toBeLessThanOrEqual(9 * 1024);
});

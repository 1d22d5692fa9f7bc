import { expect, test } from 'vitest';
import { sourceModules } from '../support/module-graph.js';

/** From low to high: a folder imports only from folders of earlier lines. */
const LAYERS = [
  ['realm', 'schema'],
  ['error', 'async'],
  ['episode'],
  ['frame'],
  ['ring', 'budget', 'stats', 'policy'],
  ['addon'],
  ['kernel'],
  ['engine', 'host', 'ndjson', 'systemd'],
  ['readers'],
  ['scope', 'reviewer'],
  ['collector'],
  ['recorder'],
  ['cli', 'index.ts'],
];

type Import = readonly [from: string, to: string];

/** Type imports included. */
const IMPORTS: readonly Import[] = [...sourceModules()].flatMap(([from, { imports }]) =>
  imports.filter((to) => !to.startsWith('../')).map((to): Import => [from, to]),
);

function folderOf(file: string): string {
  return file.split('/', 1)[0] ?? file;
}

function layerOf(file: string): number {
  return LAYERS.findIndex((folders) => folders.includes(folderOf(file)));
}

/** `js` or `native` for the insides of the engine. */
function engineOf(file: string): string | null {
  return /^engine\/(js|native)\//.exec(file)?.[1] ?? null;
}

const upward = (imports: readonly Import[]) =>
  imports.filter(([from, to]) => folderOf(from) !== folderOf(to) && layerOf(from) <= layerOf(to));

const acrossTheBorder = (imports: readonly Import[]) =>
  imports.filter(
    ([from, to]) =>
      engineOf(to) !== null &&
      engineOf(from) !== engineOf(to) &&
      // The entries of the engine choose between the two.
      !/^engine\/[^/]+$/.test(from),
  );

/** Files that import themselves by way of others, each cycle once. */
function cycles(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const [from, to] of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(path.slice(at));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of targets.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return found;
}

test('every folder has its layer', () => {
  const folders = new Set(IMPORTS.flat().map(folderOf));
  expect([...folders].sort()).toEqual(LAYERS.flat().sort());
});

test('folders import only from lower layers, so that no two import each other', () => {
  expect(upward(IMPORTS)).toEqual([]);
});

test('only the entries of engine/ import from engine/js and engine/native', () => {
  expect(acrossTheBorder(IMPORTS)).toEqual([]);
});

test('no file imports itself by way of others, but for a class and its builder', () => {
  expect(cycles(IMPORTS)).toEqual([
    ['frame/builder.ts', 'frame/frame.ts'],
    ['policy/builder.ts', 'policy/policy.ts'],
  ]);
});

test('the checks find what they look for', () => {
  expect(upward([['kernel/errno.ts', 'engine/select.ts']])).toHaveLength(1);
  expect(upward([['reviewer/writer.ts', 'scope/scope.ts']])).toHaveLength(1);
  expect(upward([['engine/js/engine.ts', 'kernel/errno.ts']])).toEqual([]);
  expect(acrossTheBorder([['cli/run.ts', 'engine/native/engine.ts']])).toHaveLength(1);
  expect(acrossTheBorder([['engine/js/engine.ts', 'engine/native/engine.ts']])).toHaveLength(1);
  expect(acrossTheBorder([['engine/select.ts', 'engine/native/engine.ts']])).toEqual([]);
  expect(
    cycles([
      ['a.ts', 'b.ts'],
      ['b.ts', 'c.ts'],
      ['c.ts', 'b.ts'],
    ]),
  ).toEqual([['b.ts', 'c.ts']]);
});

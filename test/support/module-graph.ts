import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preProcessFile } from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Module {
  /** Modules of the same tree, relative to it, with their extension. */
  readonly imports: readonly string[];
  /** Packages and Node's own modules. */
  readonly foreign: readonly string[];
  readonly text: string;
}

/** Reads one module of `tree` (`src` or `dist`); type imports count in `src`, and are gone in `dist`. */
export function readModule(tree: 'src' | 'dist', name: string): Module {
  const text = readFileSync(join(root, tree, name), 'utf8');
  const imports: string[] = [];
  const foreign: string[] = [];
  for (const { fileName } of preProcessFile(text, true, true).importedFiles) {
    if (!fileName.startsWith('.')) foreign.push(fileName);
    else {
      const path = relative(join(root, tree), resolve(root, tree, dirname(name), fileName));
      imports.push(tree === 'src' ? path.replace(/\.js$/, '.ts') : path);
    }
  }
  return { imports, foreign, text };
}

/** Every module that loading `entry` of dist/ loads. */
export function loadedBy(entry: string): Map<string, Module> {
  const modules = new Map<string, Module>();
  const open = [entry];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (modules.has(name)) continue;
    const module = readModule('dist', name);
    modules.set(name, module);
    open.push(...module.imports);
  }
  return modules;
}

/** Every module of src/. */
export function sourceModules(): Map<string, Module> {
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return new Map(
    names.filter((name) => name.endsWith('.ts')).map((name) => [name, readModule('src', name)]),
  );
}

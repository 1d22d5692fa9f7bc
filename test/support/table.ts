/** The tables of promises in `test/tables`, which both languages run. The format of each is described at its head. */
import { readFileSync } from 'node:fs';

/** The cases of `test/tables/<file>`, as `it.each` takes them. */
export function readTable(file: string): [name: string, lines: string[]][] {
  const text = readFileSync(new URL(`../tables/${file}`, import.meta.url), 'utf8');
  const cases: [string, string[]][] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('case ')) cases.push([line.slice(5), []]);
    else if (line !== '' && !line.startsWith('#')) cases.at(-1)![1].push(line);
  }
  return cases;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** What has another identity in every realm, so that `instanceof` says nothing of a value that came from elsewhere. */
const OF_THE_REALM =
  /\binstanceof (?:[A-Z]\w*Array|ArrayBuffer|SharedArrayBuffer|Buffer|DataView|Map|Set|WeakMap|WeakSet|Date|RegExp|Promise|Object|Function|Symbol|URL|AbortSignal|EventTarget|(?:Range|Type|Syntax)?Error)\b|\.constructor ===|=== Object\.prototype|Symbol\.(?:asyncD|d)ispose\b/;

test('no source depends on a realm', () => {
  const found = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'realm/dispose.ts')
    .flatMap((file) =>
      readFileSync(join(src, file), 'utf8')
        .split('\n')
        .map((line, index) => ({ line: line.trim(), at: `${file}:${index + 1}` }))
        .filter(({ line }) => !/^(\/\/|\/?\*)/.test(line) && OF_THE_REALM.test(line))
        .map(({ line, at }) => `${at} ${line}`),
    );
  expect(found).toEqual([]);
});

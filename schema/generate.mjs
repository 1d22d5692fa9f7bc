/**
 * Generates files from the schema (`npm run schema`). With --check, writes nothing, lists stale files and exits with 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cppHeader } from './cpp.mjs';
import { withTable } from './markdown.mjs';
import * as typescript from './typescript.mjs';
import { assertSchema } from './validate.mjs';

const root = new URL('../', import.meta.url);
const textOf = (file) => {
  try {
    return readFileSync(new URL(file, root), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
};

assertSchema();
const files = {
  'native/core/schema.h': cppHeader(),
  'src/schema/bounds.ts': typescript.bounds(),
  'src/schema/enumerations.ts': typescript.enumerations(),
  'src/schema/frame-values.ts': typescript.frameValues(),
  'src/schema/layout.ts': typescript.layout(),
  'src/schema/metrics.ts': typescript.metrics(),
  'src/schema/stats-values.ts': typescript.statsValues(),
  'docs/numbers.md': withTable(textOf('docs/numbers.md')),
};

const stale = Object.entries(files).filter(([file, text]) => textOf(file) !== text);
if (process.argv.includes('--check')) {
  for (const [file] of stale) console.error(`${file} is stale: run \`npm run schema\``);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of stale) {
    writeFileSync(new URL(file, root), text);
    console.log(file);
  }
}

/** Generates the table of docs/numbers.md between its markers. */
import { METRICS } from './metrics.mjs';

const BEGIN = '<!-- schema:metrics -->';
const END = '<!-- /schema:metrics -->';

function table() {
  const rows = METRICS.map(
    ({ name, key, pressure, unit, kind, doc, file, fileKey, since, proc }) => {
      const from = file === '' ? '' : `\`${file}\`${fileKey === '' ? '' : ` \`${fileKey}\``}`;
      const property = pressure ? `pressure.${name}` : name;
      const json = pressure ? `pressure.${key}` : key;
      return `| \`${property}\` | \`${json}\` | ${unit} | ${kind} | ${doc} | ${from} | ${since} | ${proc ?? 'absent'} |`;
    },
  );
  return [
    '| property | JSON | unit | kind | meaning | kernel file and key | since Linux | from `/proc/<pid>` |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** Returns the text with the table replaced. Throws if the markers are missing. */
export function withTable(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/numbers.md lacks ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n${table()}\n${text.slice(end)}`;
}

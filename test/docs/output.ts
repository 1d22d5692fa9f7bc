/** Compares what a command printed with what a document shows: the words and their places, not the figures. */

const SPARKLINE = /[▁▂▃▄▅▆▇█]+/g;
const FIGURE = /\d[\d,.]*(e[+-]?\d+)?( ?(ns|µs|ms|s|min|h|%|[KMGT]?i?B|bytes))?(?![\w-])/g;

/** What a line has or lacks as the figures have it. */
const OF_THE_FIGURES = [
  /\bat least /g,
  / \(full: [^)]*\)/g,
  /, \d+ of them not read/g,
  /(?<=\bdeadline)s\b/g,
];

/** A line without its figures. */
function shape(line: string): string {
  return OF_THE_FIGURES.reduce((text, optional) => text.replace(optional, ''), line)
    .replace(SPARKLINE, '~')
    .replace(/[\w.]+-\d+-\d+/g, '#')
    .replace(FIGURE, '#')
    .trim();
}

/** The first column: two spaces, a name, two spaces. */
function label(line: string): string | null {
  return /^ {2}(\w[\w ]*?) {2,}/.exec(line)?.[1] ?? null;
}

/** These lines say what this host offers: another host has other words there. */
const OF_THE_HOST = new Set(['sources', 'degraded', 'memory', 'io', 'oom kills', 'cost']);

/**
 * The lines of `shown` that `printed` has not, in that order. A line `…` stands for any number of lines. Where the
 * host has other sources than the document, lines that tell of the host are compared by their first column.
 */
export function linesMissing(shown: string, printed: string): string[] {
  const lines = shown.split('\n');
  const sources = lines.find((line) => label(line) === 'sources');
  const sameHost = sources === undefined || printed.includes(sources);
  const found = printed.split('\n');
  return lines.filter((line) => {
    if (line.trim() === '…' || line.trim() === '') return false;
    const name = label(line);
    if (!sameHost && name === 'degraded') return false;
    const byLabel = name !== null && !sameHost && OF_THE_HOST.has(name);
    const at = found.findIndex((each) =>
      byLabel ? label(each) === name : shape(each) === shape(line),
    );
    if (at < 0) return true;
    found.splice(0, at + 1);
    return false;
  });
}

/** Detects a line that a crash cut short: the beginning of a JSON object, valid as far as it goes. */
import { isUtf8 } from 'node:buffer';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const BEGUN_NUMBER = /-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|(?:0|[1-9]\d*)(?:\.\d+)?[eE][-+]?\d*)?$/y;
const BLANK = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;
const BEGUN_ESCAPE = /\\(?:u[\dA-Fa-f]{0,3})?$/y;
const WORDS = ['true', 'false', 'null'];

/** The position where a token ends; `'cut'` if the text ends within it, `'wrong'` if it cannot begin a JSON token. */
type Scanned = number | 'cut' | 'wrong';

/** The token that may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/** Returns false for a whole object too. */
export function isCutShort(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text: string;
  let hasBegunCharacter = false;
  try {
    text = decoder.decode(bytes, { stream: true });
    // An incomplete character at the end is not an error in a stream.
    hasBegunCharacter = !isUtf8(bytes);
  } catch {
    return false;
  }
  let at = matchEnd(BLANK, text, 0) ?? 0;
  if (text[at] !== '{') return false;
  const open: ('{' | '[')[] = ['{'];
  let expected: Expected = 'key or end';
  at += 1;
  while (open.length > 0) {
    at = matchEnd(BLANK, text, at) ?? at;
    const next = text[at];
    if (next === undefined) return !hasBegunCharacter;
    if (expected.endsWith('end') && next === (open.at(-1) === '{' ? '}' : ']')) {
      open.pop();
      at += 1;
      expected = 'comma or end';
    } else if (expected === 'comma or end') {
      if (next !== ',') return false;
      at += 1;
      expected = open.at(-1) === '{' ? 'key' : 'value';
    } else if (expected === 'colon') {
      if (next !== ':') return false;
      at += 1;
      expected = 'value';
    } else if (expected.startsWith('value') && (next === '{' || next === '[')) {
      open.push(next);
      at += 1;
      expected = next === '{' ? 'key or end' : 'value or end';
    } else {
      const isKey = expected.startsWith('key');
      const end: Scanned = isKey || next === '"' ? stringEnd(text, at) : scalarEnd(text, at);
      if (end === 'cut') return !hasBegunCharacter || isInString(text, at);
      if (end === 'wrong') return false;
      at = end;
      expected = isKey ? 'colon' : 'comma or end';
    }
  }
  return false;
}

/** Whether any character may follow the text: its last token, at `at`, is a string and does not end in an escape. */
function isInString(text: string, at: number): boolean {
  return text[at] === '"' && stringEnd(`${text}"`, at) === text.length + 1;
}

function stringEnd(text: string, start: number): Scanned {
  if (text[start] !== '"') return 'wrong';
  let at = start + 1;
  for (let next = text[at]; next !== undefined; next = text[at]) {
    if (next === '"') return at + 1;
    if (next === '\\') {
      const end = matchEnd(ESCAPE, text, at);
      if (end === null) return matchEnd(BEGUN_ESCAPE, text, at) === null ? 'wrong' : 'cut';
      at = end;
    } else {
      if (next < ' ') return 'wrong';
      at += 1;
    }
  }
  return 'cut';
}

/** Returns the end of a number or a word. */
function scalarEnd(text: string, start: number): Scanned {
  // A number that reaches the end of the text may go on.
  if (matchEnd(BEGUN_NUMBER, text, start) !== null) return 'cut';
  const number = matchEnd(NUMBER, text, start);
  if (number !== null) return number;
  for (const word of WORDS) {
    if (text.startsWith(word, start)) return start + word.length;
    if (word.startsWith(text.slice(start, start + word.length))) return 'cut';
  }
  return 'wrong';
}

/** Returns the end of a match that begins at `at`, or null. */
function matchEnd(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

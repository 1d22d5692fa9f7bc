/** JSON with exact integers. Node 20 gives a reviver no source text, and `JSON.parse` rounds beyond 2^53. */

export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

/** As `JSON.stringify`, with every digit of a whole number and of a bigint. */
export function stringifyExact(value: ExactJson): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value).toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(stringifyExact).join(',')}]`;
  return stringifyMembers(Object.entries(value));
}

/** Serializes these members in their order. An object literal would put names like `1` first. */
export function stringifyMembers(members: readonly (readonly [string, ExactJson])[]): string {
  let text = '{';
  for (const [key, member] of members) {
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${stringifyExact(member)}`;
  }
  return `${text}}`;
}

function isArray(value: object): value is readonly ExactJson[] {
  return Array.isArray(value);
}

/** An integer that a double cannot hold has at least this many digits in a row. */
const MANY_DIGITS = /\d{16}/;

/** A string, with the colon that makes it a key, or a number. Only for text that is known to be JSON. */
const TOKEN =
  /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/g;
const INTEGER = /^-?[0-9]+$/;

/**
 * As `JSON.parse`, but a whole number beyond 2^53 − 1 is a bigint, every digit kept; of what `isWanted` refuses, when
 * it sees it rounded, none is. Throws its `SyntaxError`.
 */
export function parseExact(
  text: string,
  isWanted: (rounded: unknown) => boolean = () => true,
): unknown {
  // First, so that what follows sees only what is JSON.
  const rounded: unknown = JSON.parse(text);
  if (!MANY_DIGITS.test(text) || !isWanted(rounded)) return rounded;
  // Such integers go in as strings. So that no other string is taken for one, every string gets a letter in front.
  const marked = text.replace(TOKEN, (token, string?: string, colon?: string) => {
    if (string !== undefined) return colon === undefined ? `"s${string}"` : token;
    const isUnsafe = INTEGER.test(token) && !Number.isSafeInteger(Number(token));
    return isUnsafe ? `"i${token}"` : token;
  });
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string') return value;
    return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1);
  });
}

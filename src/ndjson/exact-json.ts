/** JSON with exact integers: Node 20 passes no source text to a reviver, and `JSON.parse` rounds beyond 2^53. */

export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

/** As `JSON.stringify`, but writes every digit of whole numbers and bigints. */
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

/** A string, with the colon that makes it a key, or a number. Only for text that is valid JSON. */
const TOKEN =
  /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/g;
const INTEGER = /^-?[0-9]+$/;

/**
 * As `JSON.parse`, but whole numbers beyond 2^53 − 1 become exact bigints, unless `isWanted` refuses the rounded value.
 * Throws the `SyntaxError` of `JSON.parse`.
 */
export function parseExact(
  text: string,
  isWanted: (rounded: unknown) => boolean = () => true,
): unknown {
  // Parsed first, so that the code below sees only valid JSON.
  const rounded: unknown = JSON.parse(text);
  if (!MANY_DIGITS.test(text) || !isWanted(rounded)) return rounded;
  // Such integers become strings. Every string gets a letter in front, so that no other is mistaken for one.
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

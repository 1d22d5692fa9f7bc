/**
 * Reads thrown values by their shape. `instanceof Error` is false for an error of Node or another realm if the package
 * is evaluated in its own realm, such as a test runner's or a `vm` context's.
 */

/** The message of an error; any other value as text. */
export function messageOf(thrown: unknown): string {
  const message = fieldOf(thrown, 'message');
  return typeof message === 'string' ? message : String(thrown);
}

/** `ENOENT` of a failed system call, `ERR_…` of Node and of this package; null if there is none. */
export function codeOf(thrown: unknown): string | null {
  const code = fieldOf(thrown, 'code');
  return typeof code === 'string' ? code : null;
}

/** The negative errno of a failed system call; null if there is none. */
export function errnoNumberOf(thrown: unknown): number | null {
  const errno = fieldOf(thrown, 'errno');
  return typeof errno === 'number' ? errno : null;
}

/** The path of a failed system call; null if there is none. */
export function pathOf(thrown: unknown): string | null {
  const path = fieldOf(thrown, 'path');
  return typeof path === 'string' ? path : null;
}

function fieldOf(thrown: unknown, name: string): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  return (thrown as { readonly [name: string]: unknown })[name];
}

/**
 * `Symbol.dispose` and `Symbol.asyncDispose` as Node knows them. Node 20 and 22 define them only in the first realm of
 * a thread; in another realm, a method of that name would be called "undefined".
 */
const known: SymbolConstructor = symbolOfFirstRealm();

export const dispose: typeof Symbol.dispose = known.dispose as typeof Symbol.dispose;
export const asyncDispose: typeof Symbol.asyncDispose =
  known.asyncDispose as typeof Symbol.asyncDispose;

// Not imported, because readers without the addon may be bundled for a platform without Node.
function symbolOfFirstRealm(): SymbolConstructor {
  if (Symbol.dispose !== undefined || typeof process === 'undefined') return Symbol;
  const { getBuiltinModule }: Partial<typeof process> = process;
  return getBuiltinModule?.('node:vm').runInThisContext('Symbol') ?? Symbol;
}

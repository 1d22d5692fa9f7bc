/**
 * Every evaluation of the package has classes of its own, and `instanceof` knows only those. A brand is the name of a
 * class in all of them, and in other versions of the package.
 */
const BRAND = Symbol.for('episcope.brand');

interface Branded {
  readonly [BRAND]?: unknown;
}

/** Gives the class its name. It is not that of its subclasses, which may be branded too. */
export function brand(prototype: object, name: string): void {
  Object.defineProperty(prototype, BRAND, { value: name });
}

type Class<T> = abstract new (...args: never) => T;

/** Whether `value` is an instance of `Own`, or of the class of that name of another evaluation. */
export function isInstanceOf<T extends object>(Own: Class<T>, value: unknown): value is T {
  if (typeof value !== 'object' || value === null) return false;
  if (Function.prototype[Symbol.hasInstance].call(Own, value)) return true;
  const own: Branded = Own.prototype;
  if (!Object.hasOwn(own, BRAND)) return false;
  let prototype: Branded | null = Object.getPrototypeOf(value);
  while (prototype !== null) {
    if (Object.hasOwn(prototype, BRAND) && prototype[BRAND] === own[BRAND]) return true;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}

/**
 * `value` as an instance of `Own`: itself, or what `adopt` makes of one of another evaluation: by the constructor, so
 * that what it holds is checked as if a user had given it. null for anything else.
 */
export function ownInstance<T extends object>(
  Own: Class<T>,
  value: unknown,
  adopt: (foreign: T) => T,
): T | null {
  if (!isInstanceOf(Own, value)) return null;
  return Function.prototype[Symbol.hasInstance].call(Own, value) ? value : adopt(value);
}

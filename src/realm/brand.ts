/**
 * Every evaluation of the package has its own classes, and `instanceof` recognizes only those. A brand is the name that
 * a class has in all evaluations, and in other versions of the package.
 */
const BRAND = Symbol.for('episcope.brand');

interface Branded {
  readonly [BRAND]?: unknown;
}

/** Brands a class. Its subclasses do not share the brand; they may have their own. */
export function brand(prototype: object, name: string): void {
  Object.defineProperty(prototype, BRAND, { value: name });
}

type Class<T> = abstract new (...args: never) => T;

/** Whether `value` is an instance of `Own`, or of the class with the same brand of another evaluation. */
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
 * Returns `value` as an instance of `Own`: itself, or what `adopt` makes of an instance of another evaluation. `adopt`
 * uses the constructor, so that the contents are checked as if a user had passed them. null for anything else.
 */
export function ownInstance<T extends object>(
  Own: Class<T>,
  value: unknown,
  adopt: (foreign: T) => T,
): T | null {
  if (!isInstanceOf(Own, value)) return null;
  return Function.prototype[Symbol.hasInstance].call(Own, value) ? value : adopt(value);
}

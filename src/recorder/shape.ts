/**
 * Converts the JSON of a line, with one table for writing and reading. Reading is strict: a wrong type is
 * `ERR_INVALID_CONFIG`, a number out of range `ERR_OUT_OF_RANGE`.
 */
import { finiteNumber, invalidConfig, wholeNumber } from '../error/index.js';
import { objectOf as jsonObjectOf } from '../frame/from-json.js';
import type { ExactJson } from '../ndjson/exact-json.js';
import { snakeCase } from '../ndjson/snake-case.js';

/** How a value is written as JSON and read back. `name` names the value in errors. */
export interface Shape<T> {
  readonly write: (value: T) => ExactJson;
  readonly read: (name: string, value: unknown) => T;
}

/** A value that is written to JSON unchanged. */
function plain<T extends ExactJson>(read: Shape<T>['read']): Shape<T> {
  return { write: (value) => value, read };
}

export const TEXT: Shape<string> = plain((name, value) => {
  if (typeof value !== 'string') throw invalidConfig(`${name} must be a string`);
  return value;
});

export const FLAG: Shape<boolean> = plain((name, value) => {
  if (typeof value !== 'boolean') throw invalidConfig(`${name} must be a boolean`);
  return value;
});

/** A whole number ≥ 0, exact. */
export const EXACT: Shape<bigint> = plain((name, value) => wholeNumber(name, value as bigint));

/** A whole number ≥ 0, as the nearest double. */
export const COUNT: Shape<number> = plain((name, value) => Number(EXACT.read(name, value)));

/** A number ≥ 0, which may have a fraction. */
export const AMOUNT: Shape<number> = plain((name, value) =>
  finiteNumber(name, typeof value === 'bigint' ? Number(value) : (value as number)),
);

export function oneOf<T extends string>(allowed: readonly T[]): Shape<T> {
  return plain((name, value) => {
    const found = allowed.find((each) => each === value);
    if (found === undefined) throw invalidConfig(`${name} must be one of ${allowed.join(', ')}`);
    return found;
  });
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return {
    write: (values) => values.map(shape.write),
    read: (name, values) => {
      if (!Array.isArray(values)) throw invalidConfig(`${name} must be an array`);
      return values.map((value) => shape.read(`an item of ${name}`, value));
    },
  };
}

export function nullOr<T>({ write, read }: Shape<T>): Shape<T | null> {
  return {
    write: (value) => (value === null ? null : write(value)),
    read: (name, value) => (value === null ? null : read(name, value)),
  };
}

/** An object with exactly these members, in this order. Their keys are the names in snake case. */
export function objectOf<T>(members: { readonly [K in keyof T]: Shape<T[K]> }): ObjectShape<T> {
  const names = (Object.keys(members) as (keyof T & string)[]).map(
    (name) => [name, snakeCase(name)] as const,
  );
  const keys = names.map(([, key]) => key);
  return {
    write: (value) =>
      Object.fromEntries(names.map(([name, key]) => [key, members[name].write(value[name])])),
    read: (where, value) => {
      const json = jsonObjectOf(where, value, keys);
      return Object.fromEntries(
        names.map(([name, key]) => [name, members[name].read(key, json[key])]),
      ) as T;
    },
  };
}

export interface ObjectShape<T> extends Shape<T> {
  readonly write: (value: T) => { readonly [key: string]: ExactJson };
}

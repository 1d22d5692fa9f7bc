/** Strict checks of what a line holds: a wrong type is `ERR_INVALID_CONFIG`, a number out of range `ERR_OUT_OF_RANGE`. */
import { assertObject, finiteNumber, invalidConfig, wholeNumber } from '../error/index.js';

export type JsonObject = { readonly [key: string]: unknown };

/** An object with these keys, all of them and no other. */
export function objectOf(name: string, value: unknown, keys: readonly string[]): JsonObject {
  assertObject(name, value);
  const json = value as JsonObject;
  const unknown = Object.keys(json).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw invalidConfig(`${name} has an unknown field ${JSON.stringify(unknown.slice(0, 64))}`);
  }
  const missing = keys.find((key) => !Object.hasOwn(json, key));
  if (missing !== undefined) throw invalidConfig(`${name} lacks the field ${missing}`);
  return json;
}

export function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidConfig(`${name} must be a string`);
  return value;
}

export function flagOf(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidConfig(`${name} must be a boolean`);
  return value;
}

/** A whole number ≥ 0, exact. */
export function exactOf(name: string, value: unknown): bigint {
  return wholeNumber(name, value as number | bigint);
}

/** A whole number ≥ 0, the nearest double. */
export function countOf(name: string, value: unknown): number {
  return Number(exactOf(name, value));
}

/** A number ≥ 0, with a fraction or without. */
export function amountOf(name: string, value: unknown): number {
  return finiteNumber(name, typeof value === 'bigint' ? Number(value) : (value as number));
}

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw invalidConfig(`${name} must be one of ${allowed.join(', ')}`);
  return found;
}

export function listOf(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidConfig(`${name} must be an array`);
  return value;
}

export function nullOr<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * The seconds since 1970 of a date and time of RFC 3339, with their fraction; null for anything else, and for what no
 * calendar has. A leap second may be any that ends a month in UTC; it counts as the second before.
 */
export function epochSecondsOf(text: string): number | null {
  const found = DATE_TIME.exec(text);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as SixNumbers;
  const [, , , , , , , fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = found;
  if (hour > 23 || minute > 59 || second > 60) return null;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return null;
  const date = new Date(0);
  // Not `Date.UTC`: to that the year 99 is 1999.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  date.setUTCHours(hour, minute, Math.min(second, 59));
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60 : 60);
  const seconds = date.getTime() / 1000 - offset;
  if (second === 60 && !endsMonth(seconds)) return null;
  return seconds + Number(`0${fraction}`);
}

type SixNumbers = [number, number, number, number, number, number];

function endsMonth(seconds: number): boolean {
  const next = new Date((seconds + 1) * 1000);
  return next.getUTCDate() === 1 && next.getTime() % 86_400_000 === 0;
}

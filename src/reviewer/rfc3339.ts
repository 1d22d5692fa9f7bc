const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
/** The days from the first day of the year 0 to that of 1970. */
const DAYS_TO_1970 = 719_528;

/**
 * Returns the seconds since 1970 of an RFC 3339 date and time, with their fraction; null for anything else, or a date
 * that no calendar has. A leap second is accepted at the end of any month in UTC; it counts as the second before.
 */
export function epochSecondsOf(text: string): number | null {
  const found = DATE_TIME.exec(text);
  if (found === null) return null;
  const day = dayOf(Number(found[1]), Number(found[2]), Number(found[3]));
  const hour = Number(found[4]);
  const minute = Number(found[5]);
  const second = Number(found[6]);
  const offsetHours = Number(found[9] ?? 0);
  const offsetMinutes = Number(found[10] ?? 0);
  if (day === null || hour > 23 || minute > 59 || second > 60) return null;
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  const offset = (offsetHours * 60 + offsetMinutes) * (found[8] === '-' ? -60 : 60);
  const ofDay = hour * 3600 + minute * 60 + Math.min(second, 59);
  const seconds = day * 86_400 + ofDay - offset;
  if (second === 60 && !endsMonth(seconds)) return null;
  return found[7] === undefined ? seconds : seconds + Number(`0${found[7]}`);
}

/** Returns the days since 1970; null for a day that the month does not have. */
function dayOf(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1) return null;
  const isLeap = isLeapYear(year);
  const before = DAYS_BEFORE_MONTH[month - 1] as number;
  const days = (DAYS_BEFORE_MONTH[month] as number) - before + (isLeap && month === 2 ? 1 : 0);
  if (day > days) return null;
  // Leap years before this one, including the year 0.
  const leaps =
    Math.floor((year + 3) / 4) - Math.floor((year + 99) / 100) + Math.floor((year + 399) / 400);
  const leapDay = isLeap && month > 2 ? 1 : 0;
  return year * 365 + leaps + before + leapDay + day - 1 - DAYS_TO_1970;
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function endsMonth(seconds: number): boolean {
  const next = new Date((seconds + 1) * 1000);
  return next.getUTCDate() === 1 && next.getTime() % 86_400_000 === 0;
}

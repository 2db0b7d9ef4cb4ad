// Names and times in words.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 31556952; // the mean one of the Gregorian calendar
const MONTH = YEAR / 12;

/** What a secret is called: its name, and its target where it has one. */
export const called = ({ name, target }) => (target ? `${name} (${target})` : name);

/** Whether two secrets have one name and one target. */
export const isSame = (one, other) =>
  one.name === other.name && (one.target || null) === (other.target || null);

/** How long ago it was. */
export function age(time) {
  if (!time) return "";
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  return seconds < MINUTE ? "just now" : length(seconds);
}

/** How long a secret is valid. */
export function expires(time) {
  if (!time) return "never";
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  return seconds <= 0 ? `expired ${length(-seconds)} ago` : `in ${length(seconds)}`;
}

/** How long before its end a secret is marked, in seconds. */
const SOON = 7 * DAY;

/** The class of an expiry, which decides its colour. */
export function expiry({ expires_at, expired }) {
  if (!expires_at) return "never";
  if (expired) return "expired";
  return Date.parse(expires_at) - Date.now() < SOON * 1000 ? "soon" : "later";
}

/** A moment by the user's clock. */
export const moment = (time) =>
  new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

/** The last day on which a secret is valid, for a date field. */
export function lastDay(expiresAt) {
  if (!expiresAt) return "";
  const last = new Date(Date.parse(expiresAt) - 1);
  const two = (number) => String(number).padStart(2, "0");
  return `${last.getFullYear()}-${two(last.getMonth() + 1)}-${two(last.getDate())}`;
}

/** The end of a day, where the user is; `null` where there is none. */
export function endOfDay(day) {
  if (!day) return null;
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + 1).toISOString();
}

function length(seconds) {
  if (seconds < MINUTE) return "less than a minute";
  const [count, unit] = largest(seconds);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function largest(seconds) {
  const nearest = (unit) => Math.round(seconds / unit);
  if (nearest(MINUTE) < 60) return [nearest(MINUTE), "minute"];
  if (nearest(HOUR) < 48) return [nearest(HOUR), "hour"];
  if (nearest(DAY) <= 100) return [nearest(DAY), "day"];
  if (nearest(MONTH) < 24) return [nearest(MONTH), "month"];
  return [nearest(YEAR), "year"];
}

// Moments as Slack writes them: <!date^…> and rich text dates, and what a date and time picker holds.
import {dayName, dayOf, timeOf} from "./people.js";

const inZone = (tz, options) => {
  try {
    return new Intl.DateTimeFormat("en-US", {...options, timeZone: tz});
  } catch {
    return new Intl.DateTimeFormat("en-US", {...options, timeZone: "UTC"});
  }
};
const write = (seconds, tz, options) => inZone(tz, options).format(new Date(seconds * 1000));

function ago(seconds) {
  const difference = seconds - Date.now() / 1000;
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => Math.abs(difference) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", {numeric: "auto"}).format(Math.round(difference / size), unit);
}

/** The pretty ones say today, yesterday or tomorrow where it fits, as Slack does. */
function pretty(seconds, tz, otherwise) {
  const name = dayName(seconds, tz);
  if (["Today", "Yesterday"].includes(name)) return name.toLowerCase();
  return dayOf(seconds, tz) === dayOf(Date.now() / 1000 + 86400, tz) ? "tomorrow" : otherwise;
}

/** Write a moment after Slack's pattern: "Posted {date_num} at {time}". Null where a token is unknown. */
export function slackDate(seconds, pattern, tz = "UTC") {
  const short = () => write(seconds, tz, {month: "short", day: "numeric", year: "numeric"});
  const middle = () => write(seconds, tz, {month: "long", day: "numeric", year: "numeric"});
  const long = () => write(seconds, tz, {weekday: "long", month: "long", day: "numeric", year: "numeric"});
  const tokens = {
    date_num: () => write(seconds, tz, {year: "numeric", month: "2-digit", day: "2-digit"}).replace(/(..).(..).(....)/, "$3-$1-$2"),
    date_slash: () => dayOf(seconds, tz), date: middle, date_short: short, date_long: long,
    date_pretty: () => pretty(seconds, tz, middle()), date_short_pretty: () => pretty(seconds, tz, short()),
    date_long_pretty: () => pretty(seconds, tz, long()), time: () => timeOf(seconds, tz),
    time_secs: () => write(seconds, tz, {hour: "numeric", minute: "2-digit", second: "2-digit"}),
    day_divider_pretty: () => pretty(seconds, tz, long()), ago: () => ago(seconds),
  };
  let known = Number.isFinite(seconds) && Math.abs(seconds) < 8e12;
  if (!known) return null;
  const written = pattern.replace(/\{(\w+)\}/g, (token, name) => {
    known &&= Object.hasOwn(tokens, name);
    return known ? tokens[name]() : token;
  });
  return known ? written : null;
}

/** Return a moment as a datetime-local field writes it, in the time zone of the played member. */
export function wallTime(seconds, tz) {
  const parts = Object.fromEntries(inZone(tz, {
    hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(new Date(seconds * 1000)).map(({type, value}) => [type, value]));
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** The way back: guess that the zone is UTC, and correct by what the guess is in the zone; twice, for the clock's changes. */
export function momentOf(wall, tz) {
  const wanted = Date.parse(`${wall}Z`) / 1000;
  let guess = wanted;
  for (let turn = 0; turn < 2; turn += 1) guess += wanted - Date.parse(`${wallTime(guess, tz)}Z`) / 1000;
  return guess;
}

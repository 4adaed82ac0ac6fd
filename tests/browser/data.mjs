// data: a small observatory to look at: six sensors, 400 days, and six days in the last three months in which nobody looked;
// and a surge.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAY = 86400;
const FROM = Date.UTC(2005, 4, 27) / 1000 - 9 * 3600; // 2005-05-27 in Japan
const DAYS = 400, GAP_FROM = 350, GAP_UNTIL = 356, SURGE_FROM = 392;
export const LAST_DAY = '2006-06-30';
export const GAP_DAYS = GAP_UNTIL - GAP_FROM;

const ports = [
  ['tcp', 445, 30], ['tcp', 135, 18], ['tcp', 1433, 12], ['udp', 1026, 9], ['tcp', 139, 7], ['tcp', 22, 3], ['udp', 53, 1],
];

// splitmix32: the same numbers everywhere
let state = 1;
function random() {
  state = (state + 0x9e3779b9) | 0;
  let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
}

const stamp = (s) => new Date(s * 1000).toISOString().replace('.000', '');

function rows(day, out) {
  for (let sensor = 1; sensor <= 6; sensor++)
    for (const [proto, port, level] of ports) {
      const rise = port === 1433 && day > 370 ? 2.5 : 1;
      const packets = Math.round(level * rise * (0.5 + random()));
      if (packets > 0)
        out.push(`${stamp(FROM + day * DAY + Math.floor(random() * DAY))},sensor-${sensor},198.51.${sensor}.${1 + Math.floor(random() * 250)},` +
          `${proto},${port},${packets}`);
    }
  // a scan that goes on until the end: sources that were never there
  for (let i = 0; day >= SURGE_FROM && i < 90; i++)
    out.push(`${stamp(FROM + day * DAY + Math.floor(random() * DAY))},sensor-${1 + i % 6},203.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)},tcp,5900,1`);
}

function importDays(binary, dir, from, until) {
  const lines = ['time,sensor,src,proto,dport,packets'], file = join(dir, `days-${from}.csv`);
  for (let day = from; day < until; day++)
    rows(day, lines);
  writeFileSync(file, lines.join('\n') + '\n');
  execFileSync(binary, ['import', '--data', join(dir, 'data'), '--zone', 'Asia/Tokyo', '--format', 'csv',
    '--map', 'time=time,sensor=sensor,src=src,proto=proto,dport=dport,packets=packets',
    '--looked', `${stamp(FROM + from * DAY)},${stamp(FROM + until * DAY)}`, file], { stdio: ['ignore', 'pipe', 'inherit'] });
}

// Fills DIR/data and returns its path.
export function makeData(binary, dir) {
  importDays(binary, dir, 0, GAP_FROM);
  importDays(binary, dir, GAP_UNTIL, DAYS);
  return join(dir, 'data');
}

// Looks for surges; the name of the newest.
export function findSurge(binary, data) {
  const told = JSON.parse(execFileSync(binary, ['surge', 'list', '--all', '--data', data, '--json'], { encoding: 'utf8' }));
  return told.surges.filter((one) => one.label === '5900/tcp').pop().id;
}

// The inside pages in headless Chromium, both languages, wide and narrow, with scripts and without. One line a check.
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import * as check from './checks.mjs';
import { LAST_DAY, findSurge, makeData } from './data.mjs';
import { startDesk } from './desk.mjs';

const { must } = check;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const paths = [['home', '', 2], ['port 1433/tcp', 'ports/1433-tcp', 2], ['one question', '?last=1mo&step=day&across=median&per=sensor', 0],
  ['surges', 'surges', 0], ['sensors', 'sensors', 0], ['about', 'about', 0]];
let failed = 0;

async function test(name, run) {
  try {
    await run();
    console.log(`ok browser: ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok browser: ${name}: ${error.message.split('\n')[0]}`);
  }
}

// One context a window size and script setting; what the page says or fetches on the way is kept.
async function withPage(browser, options, run) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const noise = [], requests = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && noise.push(m.text()));
  page.on('pageerror', (e) => noise.push(e.message));
  page.on('request', (r) => requests.push(r.url()));
  page.on('response', (r) => r.status() >= 400 && noise.push(`${r.status()} ${r.url()}`));
  try {
    await run(page, noise, requests, context);
  } finally {
    await context.close();
  }
}

async function looksRight(browser, origin, lang, [, path, pictures], width, scripts) {
  const options = { viewport: { width, height: 900 }, javaScriptEnabled: scripts };
  await withPage(browser, options, async (page, noise, requests, context) => {
    const response = await page.goto(`${origin}/${lang}/${path}`);
    must(response.status() === 200, `status ${response.status()}`);
    must(await page.getAttribute('html', 'lang') === lang, 'the page does not name its language');
    must(await page.locator('h1').count() === 1, 'one h1 is wanted');
    await check.nothingOverflows(page);
    await check.figureContrast(page);
    await check.labelsStandApart(page);
    if (path.startsWith('surges/'))
      must(await page.locator('figure g.surge:visible').count() > 0, 'no band in the figure');
    if (pictures)
      await check.picturesEqualApi(page, pictures);
    if (scripts) {
      await check.axeFindsNothing(page);
      await check.keyboardReaches(page);
    }
    const elsewhere = requests.filter((url) => !url.startsWith(`${origin}/`));
    must(elsewhere.length === 0, `requests elsewhere: ${elsewhere.join(' ')}`);
    must((await context.cookies()).length === 0, 'a cookie was set');
    must(noise.length === 0, noise.join('; '));
  });
}

async function walk(browser, origin) {
  for (const lang of ['ja', 'en'])
    for (const place of paths)
      for (const width of [1280, 390])
        for (const scripts of [true, false])
          await test(`${place[0]} in ${lang} at ${width} px ${scripts ? 'with' : 'without'} scripts`,
            () => looksRight(browser, origin, lang, place, width, scripts));
}

function get(origin, path, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(origin + path, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; })
        .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, reused: request.reusedSocket }));
    });
    request.on('error', reject).end();
  });
}

async function refusals(origin) {
  await test('a strange host is refused', async () => {
    const { status } = await get(origin, '/ja/', { headers: { Host: 'rebound.example:8025' } });
    must(status === 421, `status ${status}`);
  });
  await test('only GET and HEAD are taken', async () => {
    const posted = await get(origin, '/ja/', { method: 'POST' }), head = await get(origin, '/ja/', { method: 'HEAD' });
    must(posted.status === 405 && posted.headers.allow === 'GET, HEAD', `POST gives ${posted.status} ${posted.headers.allow}`);
    must(head.status === 200 && head.text === '' && Number(head.headers['content-length']) > 1000, `HEAD gives ${head.status}`);
  });
  await test('an address without end is refused', async () => {
    const { status } = await get(origin, `/ja/?last=${'1'.repeat(6000)}`);
    must(status === 414, `status ${status}`);
  });
  await test('a wrong question is told in the language of its page, and as JSON by the API', async () => {
    const ja = await get(origin, '/ja/?last=soon'), api = await get(origin, '/api/v1/top?last=soon');
    must(ja.status === 400 && ja.text.includes('lang="ja"') && ja.text.includes('3mo'), `page: ${ja.status}`);
    const { error } = JSON.parse(api.text);
    must(api.status === 400 && error.what && 'where' in error && error.expected, `API: ${api.status} ${api.text}`);
  });
  await test('text from the address does not become markup', async () => {
    const { text } = await get(origin, '/ja/?sensor=%3Cscript%3Ealert(1)%3C/script%3E');
    must(!text.includes('<script'), 'a script element is in the page');
  });
}

async function protocol(origin) {
  await test('one connection carries several requests', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await get(origin, '/en/about', { agent });
    const second = await get(origin, '/en/about', { agent });
    agent.destroy();
    must(second.reused, 'the connection was closed after the first request');
  });
  await test('an unchanged page is not sent again', async () => {
    const first = await get(origin, '/en/');
    const again = await get(origin, '/en/', { headers: { 'If-None-Match': first.headers.etag } });
    must(again.status === 304 && again.text === '', `status ${again.status}`);
  });
  await test('every reply has the security headers', async () => {
    for (const path of ['/ja/', '/', '/nowhere', '/api/v1/top', '/figure.svg', '/style.css']) {
      const { headers } = await get(origin, path);
      must(/default-src 'none'/.test(headers['content-security-policy']) && headers['x-content-type-options'] === 'nosniff' &&
        headers['referrer-policy'] === 'no-referrer' && !headers['set-cookie'], `${path}: ${JSON.stringify(headers)}`);
    }
  });
  await test('the first page speaks the browser\'s language', async () => {
    const en = await get(origin, '/', { headers: { 'Accept-Language': 'de, en-GB;q=0.8, ja;q=0.5' } }), ja = await get(origin, '/');
    must(en.status === 302 && en.headers.location === '/en/' && ja.headers.location === '/ja/',
      `${en.headers.location} ${ja.headers.location}`);
  });
}

async function archive(binary, data) {
  const days = (Date.now() - Date.parse(`${LAST_DAY}T15:00:00Z`)) / 1000;
  await test('data of yesterday are no archive, older ones are and say until when', async () => {
    const fresh = await startDesk(binary, data, { TEITEN_CLOCK_OFFSET: String(-Math.floor(days) + 3600) });
    const now = await get(fresh.origin, '/ja/');
    must(await fresh.stop() === 0, 'the desk did not end cleanly');
    const old = await startDesk(binary, data);
    const later = await get(old.origin, '/ja/');
    await old.stop();
    must(!now.text.includes('class="archive"'), 'data of yesterday are called an archive');
    must(later.text.includes('class="archive"') && later.text.includes('2006年6月30日'), 'the archive does not say until when');
  });
}

async function main(binary) {
  const dir = mkdtempSync(join(tmpdir(), 'teiten-browser-'));
  const data = makeData(binary, dir);
  await archive(binary, data);
  paths.push(['a surge', `surges/${findSurge(binary, data)}`, 1], ['its port', 'ports/5900-tcp', 2]);
  const desk = await startDesk(binary, data);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  try {
    await refusals(desk.origin);
    await protocol(desk.origin);
    await walk(browser, desk.origin);
    if (process.env.TEITEN_PICTURE)
      await withPage(browser, { viewport: { width: 1100, height: 900 } }, async (page) => {
        await page.goto(`${desk.origin}/ja/`);
        await page.screenshot({ path: process.env.TEITEN_PICTURE, fullPage: true });
      });
  } finally {
    await browser.close();
    await test('the desk ends cleanly', async () => must(await desk.stop() === 0, 'its status is not 0'));
    rmSync(dir, { recursive: true, force: true });
  }
}

await main(process.argv[2]);
process.exit(failed ? 1 : 0);

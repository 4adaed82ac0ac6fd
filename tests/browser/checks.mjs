// checks: what is asked of a page that stands in the browser. Each throws, or returns quietly.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function must(truth, text) {
  if (!truth)
    throw new Error(text);
}

export async function axeFindsNothing(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  must(found.passes.length > 10, 'axe did not run');
  must(found.violations.length === 0, found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`).join('; '));
}

export async function nothingOverflows(page) {
  const [content, window] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  must(content <= window, `the page is ${content} px wide in a window of ${window} px`);
}

// What stands in the picture: each series' points, turned back into times and values by the root's own scale.
function readPictures() {
  const shown = [...document.querySelectorAll('figure')].map((figure) =>
    [...figure.querySelectorAll('svg')].find((svg) => svg.getBoundingClientRect().width > 0));
  return shown.map((svg) => {
    const d = Object.fromEntries(Object.entries(svg.dataset).map(([key, value]) => [key, Number(value)]));
    const series = [...svg.querySelectorAll('g.series')].map((g) => ({
      label: g.dataset.label,
      points: g.querySelector('path').getAttribute('d').split(/[ML]/).filter(Boolean).map((point) => {
        const [x, y] = point.split(',').map(Number);
        return { minute: d.t0 + (x - d.x0) / (d.x1 - d.x0) * (d.t1 - d.t0), value: (d.y0 - y) / (d.y0 - d.y1) * d.v1 };
      }),
    }));
    const links = svg.closest('figure').nextElementSibling;
    return { series, json: links.querySelector('a[href^="/api/v1/series?"]').href, hatched: svg.querySelectorAll('.unobserved rect').length,
      valueStep: 0.0051 / (d.y0 - d.y1) * d.v1, minuteStep: 0.0051 / (d.x1 - d.x0) * (d.t1 - d.t0) };
  });
}

function sameSeries(drawn, said, until, picture) {
  const ends = [...said.times.slice(1), until].map((t) => Date.parse(t) / 60000);
  const wanted = said.times.map((t, i) => ({ minute: (Date.parse(t) / 60000 + ends[i]) / 2, value: said.values[i] }))
    .filter((point) => point.value !== null);
  must(drawn.points.length === wanted.length, `${drawn.label}: ${drawn.points.length} points drawn, ${wanted.length} values said`);
  wanted.forEach((point, i) => {
    must(Math.abs(drawn.points[i].minute - point.minute) <= picture.minuteStep,
      `${drawn.label}: point ${i} stands at minute ${drawn.points[i].minute}, not ${point.minute}`);
    must(Math.abs(drawn.points[i].value - point.value) <= picture.valueStep,
      `${drawn.label}: point ${i} is drawn as ${drawn.points[i].value}, the API says ${point.value}`);
  });
}

// Every number in every visible picture equals the API's, within the rounding of a coordinate.
export async function picturesEqualApi(page, atLeast) {
  const pictures = await page.evaluate(readPictures);
  must(pictures.length >= atLeast, `${pictures.length} pictures are visible, ${atLeast} wanted`);
  let points = 0;
  for (const picture of pictures) {
    const said = await (await fetch(picture.json)).json();
    must(picture.series.length === said.series.length, `${picture.series.length} lines drawn, ${said.series.length} series said`);
    for (const series of said.series) {
      const drawn = picture.series.find((one) => one.label === series.label);
      must(drawn, `${series.label} is not drawn`);
      sameSeries(drawn, series, said.span.until, picture);
      points += drawn.points.length;
    }
    const unobserved = said.series[0].looked.some((n) => n === 0);
    must(unobserved === picture.hatched > 0, `hatching: ${picture.hatched} boxes, unobserved steps: ${unobserved}`);
  }
  must(points > 100, `only ${points} points were compared`);
}

// WCAG 2: text 4.5:1 on white, lines 3:1. axe does not judge what stands in SVG.
export async function figureContrast(page) {
  const faint = await page.evaluate(() => {
    const contrast = (hex) => {
      const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
    };
    const texts = [...document.querySelectorAll('figure text')].filter((t) => contrast(t.getAttribute('fill')) < 4.5);
    const lines = [...document.querySelectorAll('figure g.series path')].filter((p) => contrast(p.getAttribute('stroke')) < 3);
    return [...texts, ...lines].map((e) => e.outerHTML.slice(0, 100));
  });
  must(faint.length === 0, faint.join('; '));
}

// Labels at the ends of lines stand apart from each other and inside the picture.
export async function labelsStandApart(page) {
  const faults = await page.evaluate(() => {
    const found = [];
    for (const svg of document.querySelectorAll('figure svg')) {
      const frame = svg.getBoundingClientRect();
      if (frame.width === 0)
        continue;
      const boxes = [...svg.querySelectorAll('text')].map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }));
      boxes.forEach(({ text, box }, i) => {
        if (box.left < frame.left - 1 || box.right > frame.right + 1)
          found.push(`"${text}" leaves the picture`);
        for (const other of boxes.slice(i + 1))
          if (box.left < other.box.right && other.box.left < box.right &&
            Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top) > 0.35 * box.height)
            found.push(`"${text}" runs into "${other.text}"`);
      });
    }
    return found;
  });
  must(faults.length === 0, faults.join('; '));
}

// The Tab key reaches the skip link first, and everything that can be used.
export async function keyboardReaches(page) {
  const usable = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, select, summary, [tabindex="0"]')];
    return all.filter((e) => e.checkVisibility()).length;
  });
  await page.evaluate(() => document.body.focus());
  const reached = new Set();
  for (let i = 0; i < usable + 5; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const all = [...document.querySelectorAll('a[href], button, select, summary, [tabindex="0"]')];
      return { index: all.indexOf(document.activeElement), skip: document.activeElement.className === 'skip' };
    });
    must(i > 0 || at.skip, 'the first stop of the Tab key is not the skip link');
    if (at.index >= 0)
      reached.add(at.index);
  }
  must(reached.size >= usable, `${reached.size} of ${usable} usable elements are reached`);
}

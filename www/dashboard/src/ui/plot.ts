// uPlot behind the interface of `chart.ts`; a chunk of its own.
import uPlot from 'uplot';
import type { ChartData, ChartOptions, Plot, Series } from './chart';
import { fill, h } from '../dom';

/** Pixels of an axis' labels. */
const AXIS_Y = 46;
const AXIS_X = 28;

/** Draws into `place`. */
export function draw(place: HTMLElement, options: ChartOptions, first: ChartData): Plot {
  let data = first;
  const tip = h('div', { class: 'tip', 'aria-hidden': 'true' });
  const size = (): { width: number; height: number } => ({
    width: Math.max(place.clientWidth, 50),
    height: Math.max(place.clientHeight, 50),
  });
  let plot = make();

  function make(): uPlot {
    return new uPlot(
      plotOptions(place, options, data, size(), (u) => showTip(u)),
      stacked(data),
      place,
    );
  }
  function showTip(u: uPlot): void {
    const n = u.cursor.idx;
    const at = n === null || n === undefined ? undefined : data.x[n];
    tip.classList.toggle('on', at !== undefined);
    if (at === undefined || n === null || n === undefined) return;
    const rows = data.series.map(({ name, values, kind, color }) => {
      const value = values[n];
      return h(
        'li',
        { class: `key-${kind} color-${color}` },
        h('span', null, name),
        h('b', null, value === null || value === undefined ? '–' : options.formatY(value)),
      );
    });
    fill(tip, h('p', null, options.formatX(at)), h('ul', null, rows));
    const left = u.valToPos(at / 1000, 'x') + AXIS_Y;
    const flip = left > place.clientWidth / 2;
    tip.style.setProperty('--x', `${flip ? place.clientWidth - left + 12 : left + 12}px`);
    tip.classList.toggle('flip', flip);
  }
  const redo = (): void => {
    plot.destroy();
    plot = make();
    place.append(tip);
  };
  place.append(tip);
  const resize = new ResizeObserver(() => {
    // A panel that shows newer data has another chart in this one's place.
    if (!place.isConnected) return destroy();
    // In the next frame: what a size changes may be observed too.
    requestAnimationFrame(() => {
      const { width, height } = size();
      if (place.isConnected && (Math.abs(width - plot.width) > 0.5 || Math.abs(height - plot.height) > 0.5))
        plot.setSize({ width, height });
    });
  });
  resize.observe(place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', redo);
  addEventListener('themechange', redo);
  return {
    update(next) {
      const shape = (d: ChartData): string =>
        d.series.map(({ name, kind, color }) => `${kind} ${color} ${name}`).join('\n');
      const again = shape(next) !== shape(data);
      data = next;
      if (again) redo();
      else plot.setData(stacked(next));
      showTip(plot);
    },
    destroy,
  };
  function destroy(): void {
    resize.disconnect();
    dark.removeEventListener('change', redo);
    removeEventListener('themechange', redo);
    plot.destroy();
    tip.remove();
  }
}

/** uPlot's columns: seconds, then the series; bars carry those below them. */
function stacked({ x, series }: ChartData): uPlot.AlignedData {
  const sums = new Array<number>(x.length).fill(0);
  const columns = series.map(({ values, kind }) => {
    if (kind !== 'bars') return [...values];
    return values.map((value, n) => (sums[n] = (sums[n] ?? 0) + (value ?? 0)));
  });
  // The highest first, so that the lower ones are painted over it.
  return [x.map((ms) => ms / 1000), ...paintOrder(series).map((n) => columns[n] ?? [])];
}

const paintOrder = (series: readonly Series[]): number[] => series.map((_, n) => n).reverse();

function plotOptions(
  place: HTMLElement,
  options: ChartOptions,
  data: ChartData,
  size: { width: number; height: number },
  onCursor: (u: uPlot) => void,
): uPlot.Options {
  const style = getComputedStyle(place);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const [ink, line] = [color('--soft'), color('--line')];
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${Math.round(rem * 0.75)}px system-ui, sans-serif`;
  const half = options.step / 2000;
  const barred = data.series.some(({ kind }) => kind === 'bars');
  const axisX = options.axisX ?? options.formatX;
  const axisY = options.axisY ?? options.formatY;
  return {
    ...size,
    padding: [8, rem * 1.5, 0, 0],
    legend: { show: false },
    cursor: { x: !barred, y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: (_u, min, max) => (barred || min === max ? [min - half, max + half] : [min, max]) },
      y: { range: (_u, _min, max) => [0, niceTop(max)] },
    },
    axes: [
      {
        stroke: ink,
        font,
        size: AXIS_X,
        grid: { show: false },
        ticks: { show: false },
        gap: 6,
        splits: (u) => splitsX(data, u.width, rem),
        values: (_u, at) => at.map((seconds) => axisX(seconds * 1000)),
      },
      {
        stroke: ink,
        font,
        size: AXIS_Y,
        gap: 6,
        ticks: { show: false },
        grid: { stroke: line, width: 1 },
        splits: (_u, _i, _min, max) => [0, max / 4, max / 2, (max * 3) / 4, max],
        values: (_u, at) => at.map((value) => axisY(value)),
      },
    ],
    series: [{}, ...paintOrder(data.series).map((n) => seriesOptions(data.series[n] as Series, color))],
    hooks: { setCursor: [onCursor] },
  };
}

/** Three quarters of a step wide, 40 pixels at most. */
const bars = uPlot.paths.bars?.({ size: [0.76, 40], radius: 0.12 });

function seriesOptions({ kind, color }: Series, css: (name: string) => string): uPlot.Series {
  const stroke = css(`--s${color}`);
  if (kind === 'bars') return { stroke, fill: stroke, width: 0, points: { show: false }, ...(bars && { paths: bars }) };
  if (kind === 'dashed') return { stroke, width: 1.5, dash: [4, 4], points: { show: false } };
  return { stroke, width: 2, fill: css('--tint'), points: { show: false } };
}

/** Some x, as many as have room, the last included. */
function splitsX({ x }: ChartData, width: number, rem: number): number[] {
  const every = Math.max(1, Math.ceil(x.length / Math.max(2, Math.floor((width - AXIS_Y) / (rem * 5)))));
  return x.filter((_, n) => (x.length - 1 - n) % every === 0).map((ms) => ms / 1000);
}

/** A round number at or above, that four steps divide well. */
function niceTop(max: number | null): number {
  if (!max || max <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(max));
  const step = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10].find((factor) => factor * power >= max) ?? 10;
  return step * power;
}

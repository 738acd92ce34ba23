import type { Palette } from '../../lib/canvas';

/** What a chart is made of, in CSS px: drawn on a canvas, or written as SVG, from the same list. */
export type Mark =
  | {
      is: 'line';
      points: readonly (readonly [number, number])[];
      ink: string;
      width?: number;
      dash?: readonly number[];
    }
  | { is: 'rect'; x: number; y: number; w: number; h: number; ink: string; alpha?: number }
  | { is: 'dot'; x: number; y: number; r: number; ink: string; hollow?: boolean }
  | {
      is: 'text';
      x: number;
      y: number;
      text: string;
      ink: string;
      align?: 'start' | 'middle' | 'end';
      strong?: boolean;
    };

const SIZE = 10;
const FAMILY = 'Inter Variable, Inter, system-ui, sans-serif';

/** `text1`, `line1` …, or the name of a layer: its fill, and with `+` behind it the colour of its text. */
function colour(ink: string, palette: Palette): string {
  if (ink in palette) return palette[ink as 'text1'];
  return ink.endsWith('+') ? palette.layer(ink.slice(0, -1)).text : palette.layer(ink).fill;
}

/** Fonts that contexts have. A canvas that got another size has lost its own. */
const fonts = new WeakMap<CanvasRenderingContext2D, { font: string; width: number; height: number }>();

/** Sets a font where it is not set already: setting one makes the page reckon all its styles first. */
function useFont(context: CanvasRenderingContext2D, font: string): void {
  const { width, height } = context.canvas;
  const known = fonts.get(context);
  if (known?.font === font && known.width === width && known.height === height) return;
  context.font = font;
  fonts.set(context, { font, width, height });
}

export function paint(context: CanvasRenderingContext2D, marks: readonly Mark[], palette: Palette): void {
  context.textBaseline = 'middle';
  // To set a colour costs as much as to draw with it.
  let fill = '';
  for (const mark of marks) {
    const ink = colour(mark.ink, palette);
    if (ink !== fill) context.fillStyle = fill = ink;
    if (mark.is === 'rect') {
      context.globalAlpha = mark.alpha ?? 1;
      context.fillRect(mark.x, mark.y, mark.w, mark.h);
      context.globalAlpha = 1;
    } else if (mark.is === 'text') {
      const own = `${mark.strong ? 600 : 400} ${SIZE}px ${FAMILY}`;
      useFont(context, own);
      context.textAlign = mark.align === 'middle' ? 'center' : (mark.align ?? 'start');
      if (mark.strong) {
        // The name of a curve stands on other curves: a rim of the ground keeps it readable.
        context.strokeStyle = palette.bg1;
        context.lineWidth = 3;
        context.setLineDash([]);
        context.lineJoin = 'round';
        context.strokeText(mark.text, mark.x, mark.y);
      }
      context.fillText(mark.text, mark.x, mark.y);
    } else {
      context.strokeStyle = ink;
      context.lineWidth = mark.is === 'line' ? (mark.width ?? 1) : 1.2;
      context.setLineDash(mark.is === 'line' ? [...(mark.dash ?? [])] : []);
      context.beginPath();
      if (mark.is === 'dot') {
        context.arc(mark.x, mark.y, mark.r, 0, 7);
        if (mark.hollow) context.stroke();
        else context.fill();
      } else {
        mark.points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
        context.stroke();
      }
    }
  }
  context.setLineDash([]);
}

/** The same marks as a picture of its own, on the page's ground. */
export function svg(
  marks: readonly Mark[],
  width: number,
  height: number,
  title: string,
  palette: Palette,
): string {
  const n = (value: number) => String(Math.round(value * 100) / 100);
  const parts = marks.map((mark) => {
    const ink = colour(mark.ink, palette);
    switch (mark.is) {
      case 'rect':
        return `<rect x="${n(mark.x)}" y="${n(mark.y)}" width="${n(mark.w)}" height="${n(mark.h)}" fill="${ink}" opacity="${mark.alpha ?? 1}"/>`;
      case 'text':
        return `<text x="${n(mark.x)}" y="${n(mark.y + 3.5)}" fill="${ink}" text-anchor="${mark.align ?? 'start'}"${mark.strong ? ` font-weight="600" stroke="${palette.bg1}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"` : ''}>${escape(mark.text)}</text>`;
      case 'dot':
        return `<circle cx="${n(mark.x)}" cy="${n(mark.y)}" r="${mark.r}" ${mark.hollow ? `fill="none" stroke="${ink}"` : `fill="${ink}"`}/>`;
      case 'line':
        return `<polyline points="${mark.points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}" fill="none" stroke="${ink}" stroke-width="${mark.width ?? 1}"${mark.dash?.length ? ` stroke-dasharray="${mark.dash.join(' ')}"` : ''}/>`;
    }
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}" font-family="${FAMILY}" font-size="${SIZE}" role="img">` +
    `<title>${escape(title)}</title><rect width="100%" height="100%" fill="${palette.bg1}"/>${parts.join('')}</svg>\n`
  );
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

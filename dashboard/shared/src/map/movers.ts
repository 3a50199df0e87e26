import { type CustomLayerInterface, type Map as MapLibre, MercatorCoordinate } from 'maplibre-gl';
import type { Dot } from './geometry';

/** How long a dot takes from where it was to where it is. */
const GLIDE_MS = 900;
const RADIUS = 5;
/** Pixels around a dot that still hit it. */
const REACH = 4;

/** How far the ring of a dot goes beyond it, in pixels. */
const RING = 3;

/** Floats of a dot: from x, y; to x, y; start; red, green, blue; the same of its ring, or -1. */
const WIDTH = 11;

const VERTEX = `#version 300 es
in vec4 a_way;
in float a_start;
in vec3 a_color;
in vec3 a_ring;
uniform vec2 u_scale;
uniform vec2 u_offset;
uniform float u_now;
uniform float u_glide;
uniform float u_size;
uniform float u_more;
out vec3 v_color;
out vec3 v_ring;
out float v_size;
void main() {
  float t = clamp((u_now - a_start) / u_glide, 0.0, 1.0);
  vec2 at = mix(a_way.xy, a_way.zw, t * t * (3.0 - 2.0 * t));
  gl_Position = vec4(at * u_scale + u_offset, 0.0, 1.0);
  v_size = u_size + (a_ring.r < 0.0 ? 0.0 : u_more);
  gl_PointSize = v_size;
  v_color = a_color;
  v_ring = a_ring;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 v_color;
in vec3 v_ring;
in float v_size;
uniform float u_mark;
uniform float u_more;
out vec4 color;
void main() {
  float r = length(gl_PointCoord - 0.5) * v_size;
  float edge = v_size * 0.5 - 1.0;
  float inside = 1.0 - smoothstep(edge - 0.7, edge + 0.7, r);
  if (u_mark > 0.0) {
    float hole = smoothstep(edge - 3.7, edge - 2.3, r);
    color = vec4(1.0, 0.83, 0.3, 1.0) * inside * hole;
    return;
  }
  float rim = v_ring.r < 0.0 ? edge : edge - u_more * 0.5;
  vec3 fill = mix(v_color, vec3(1.0), smoothstep(rim - 2.1, rim - 0.9, r));
  if (v_ring.r >= 0.0) fill = mix(fill, v_ring, smoothstep(rim - 0.6, rim + 0.4, r));
  color = vec4(fill, 1.0) * inside;
}`;

/**
 * Dots that glide to where they are. All of the motion happens on the graphics card,
 * so ten thousand animals cost a frame no more than ten. Positions are kept against an
 * origin among them: as shares of the world they would be metres off in single floats.
 */
export class Movers implements CustomLayerInterface {
  readonly type = 'custom';
  readonly renderingMode = '2d';
  private map?: MapLibre;
  private gl?: WebGL2RenderingContext;
  private program?: WebGLProgram;
  private buffer?: WebGLBuffer;
  private origin?: MercatorCoordinate;
  private data = new Float32Array(0);
  private dots: Dot[] = [];
  private index = new Map<string, number>();
  private marked = -1;
  private dirty = false;
  private until = 0;
  private readonly began = performance.now();
  private readonly glide = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : GLIDE_MS;

  constructor(readonly id: string) {}

  /**
   * Shows exactly these dots; those that were shown glide from where they are seen now.
   * The same dots in the same order, which is what a herd gives many times a second, are
   * written over in place.
   */
  set(dots: Dot[]): void {
    const [first] = dots;
    if (!this.origin && first)
      this.origin = MercatorCoordinate.fromLngLat(first.at as [number, number]);
    const now = this.now();
    const mark = this.dots[this.marked]?.id;
    const old = { dots: this.dots, data: this.data, index: this.index };
    const kept = dots.length === old.dots.length && dots.every((d, i) => old.dots[i]?.id === d.id);
    if (!kept) {
      this.data = new Float32Array(dots.length * WIDTH);
      this.index = new Map(dots.map((d, i) => [d.id, i]));
    }
    const { data } = this;
    const here: [number, number] = [0, 0];
    for (const [i, dot] of dots.entries()) {
      const x = eastOf(dot.at[0] ?? 0) - (this.origin?.x ?? 0);
      const y = southOf(dot.at[1] ?? 0) - (this.origin?.y ?? 0);
      const o = i * WIDTH;
      const was = kept ? i : old.index.get(dot.id);
      if (was === undefined) way(data, o, x, y, x, y, now - this.glide);
      else if (!moves(old.data, was * WIDTH, x, y)) {
        if (!kept) data.set(old.data.subarray(was * WIDTH, was * WIDTH + 5), o);
      } else {
        this.seen(old.data, was, now, here);
        way(data, o, here[0], here[1], x, y, now);
        this.until = now + this.glide;
      }
      const before = was === undefined ? undefined : old.dots[was];
      if (!kept || before?.color !== dot.color || before.ring !== dot.ring) {
        data.set(rgb(dot.color), o + 5);
        data.set(dot.ring ? rgb(dot.ring) : NO_RING, o + 8);
      }
    }
    this.dots = dots;
    this.dirty = true;
    this.mark(mark);
  }

  /** Rings one dot. */
  mark(id: string | undefined): void {
    this.marked = (id !== undefined ? this.index.get(id) : undefined) ?? -1;
    this.map?.triggerRepaint();
  }

  /** The dot under a place of the map's canvas, in pixels. */
  at(point: { x: number; y: number }): Dot | undefined {
    if (!this.map || !this.origin) return undefined;
    const { scale, offset, width, height } = this.view(this.map, this.origin);
    const now = this.now();
    const here: [number, number] = [0, 0];
    let best: Dot | undefined;
    let least = (RADIUS + REACH) ** 2;
    for (const [i, dot] of this.dots.entries()) {
      this.seen(this.data, i, now, here);
      const dx = ((here[0] * scale[0] + offset[0] + 1) / 2) * width - point.x;
      const dy = ((1 - (here[1] * scale[1] + offset[1])) / 2) * height - point.y;
      if (dx * dx + dy * dy <= least) {
        least = dx * dx + dy * dy;
        best = dot;
      }
    }
    return best;
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.gl = gl;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind);
      if (!shader) return; // the context is lost; the map adds its layers again when it is back
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    this.program = program;
    this.buffer = gl.createBuffer();
    this.dirty = true;
  }

  onRemove(_: MapLibre, gl: WebGL2RenderingContext): void {
    if (this.program) gl.deleteProgram(this.program);
    if (this.buffer) gl.deleteBuffer(this.buffer);
    this.map = this.gl = this.program = this.buffer = undefined;
  }

  render(): void {
    const { gl, map, program, buffer, origin } = this;
    if (!gl || !map || !program || !buffer || !origin || !this.dots.length) return;
    // biome-ignore lint/correctness/useHookAtTopLevel: it is a call of WebGL, not a hook
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    if (this.dirty) gl.bufferData(gl.ARRAY_BUFFER, this.data, gl.DYNAMIC_DRAW);
    this.dirty = false;
    const field = (name: string, size: number, at: number) => {
      const place = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, WIDTH * 4, at * 4);
    };
    field('a_way', 4, 0);
    field('a_start', 1, 4);
    field('a_color', 3, 5);
    field('a_ring', 3, 8);
    const { scale, offset } = this.view(map, origin);
    const value = (name: string) => gl.getUniformLocation(program, name);
    const now = this.now();
    gl.uniform2fv(value('u_scale'), scale);
    gl.uniform2fv(value('u_offset'), offset);
    gl.uniform1f(value('u_now'), now);
    gl.uniform1f(value('u_glide'), this.glide);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    const draw = (radius: number, mark: number, first: number, count: number) => {
      gl.uniform1f(value('u_size'), (2 * radius + 2) * devicePixelRatio);
      gl.uniform1f(value('u_more'), mark ? 0 : 2 * RING * devicePixelRatio);
      gl.uniform1f(value('u_mark'), mark);
      gl.drawArrays(gl.POINTS, first, count);
    };
    draw(RADIUS, 0, 0, this.dots.length);
    if (this.marked >= 0) draw(RADIUS + 6, 1, this.marked, 1);
    if (now < this.until) map.triggerRepaint();
  }

  /** Milliseconds; small enough for a single float for hours. */
  private now(): number {
    return performance.now() - this.began;
  }

  /** Where dot i of data is drawn at a time, as the vertex shader reckons it; written to out. */
  private seen(data: Float32Array, i: number, now: number, out: [number, number]): void {
    const o = i * WIDTH;
    const [x, y] = [data[o] ?? 0, data[o + 1] ?? 0];
    const t = Math.min(1, Math.max(0, (now - (data[o + 4] ?? 0)) / this.glide));
    const s = t * t * (3 - 2 * t);
    out[0] = x + ((data[o + 2] ?? 0) - x) * s;
    out[1] = y + ((data[o + 3] ?? 0) - y) * s;
  }

  /** From local positions to clip space, for a map that looks straight down and north. */
  private view(map: MapLibre, origin: MercatorCoordinate) {
    const { clientWidth: width, clientHeight: height } = map.getCanvas();
    const world = 512 * 2 ** map.getZoom();
    const center = MercatorCoordinate.fromLngLat(map.getCenter());
    const scale: [number, number] = [(2 * world) / width, (-2 * world) / height];
    const offset: [number, number] = [
      (origin.x - center.x) * scale[0],
      (origin.y - center.y) * scale[1],
    ];
    return { scale, offset, width, height };
  }
}

const NO_RING = [-1, -1, -1];

/** Shares of the Mercator world, as MapLibre has them: from the west, from the north. */
const eastOf = (lon: number) => (180 + lon) / 360;
const southOf = (lat: number) =>
  (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) / 360;

/** Whether the dot at o goes anywhere else than to x, y. */
const moves = (data: Float32Array, o: number, x: number, y: number) =>
  data[o + 2] !== Math.fround(x) || data[o + 3] !== Math.fround(y);

function way(
  data: Float32Array,
  o: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  start: number,
): void {
  data[o] = x0;
  data[o + 1] = y0;
  data[o + 2] = x1;
  data[o + 3] = y1;
  data[o + 4] = start;
}

const shades = new Map<string, [number, number, number]>();

/** #rrggbb as shares. */
function rgb(color: string): [number, number, number] {
  let shade = shades.get(color);
  if (!shade) {
    const n = Number.parseInt(color.slice(1), 16);
    shade = [(n >> 16) / 255, ((n >> 8) & 255) / 255, (n & 255) / 255];
    shades.set(color, shade);
  }
  return shade;
}

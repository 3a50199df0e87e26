import { type CustomLayerInterface, type Map as MapLibre, MercatorCoordinate } from 'maplibre-gl';
import type { Dot } from './geometry';

/** How long a dot takes from where it was to where it is. */
const GLIDE_MS = 900;
const RADIUS = 5;
/** Pixels around a dot that still hit it. */
const REACH = 4;

/** Floats of a dot: from x, y; to x, y; start; red, green, blue. */
const WIDTH = 8;

const VERTEX = `#version 300 es
in vec4 a_way;
in float a_start;
in vec3 a_color;
uniform vec2 u_scale;
uniform vec2 u_offset;
uniform float u_now;
uniform float u_glide;
uniform float u_size;
out vec3 v_color;
void main() {
  float t = clamp((u_now - a_start) / u_glide, 0.0, 1.0);
  vec2 at = mix(a_way.xy, a_way.zw, t * t * (3.0 - 2.0 * t));
  gl_Position = vec4(at * u_scale + u_offset, 0.0, 1.0);
  gl_PointSize = u_size;
  v_color = a_color;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 v_color;
uniform float u_size;
uniform float u_ring;
out vec4 color;
void main() {
  float r = length(gl_PointCoord - 0.5) * u_size;
  float edge = u_size * 0.5 - 1.0;
  float inside = 1.0 - smoothstep(edge - 0.7, edge + 0.7, r);
  if (u_ring > 0.0) {
    float hole = smoothstep(edge - 3.7, edge - 2.3, r);
    color = vec4(1.0, 0.83, 0.3, 1.0) * inside * hole;
    return;
  }
  vec3 fill = mix(v_color, vec3(1.0), smoothstep(edge - 2.1, edge - 0.9, r));
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

  /** Shows exactly these dots; those that were shown glide from where they are seen now. */
  set(dots: Dot[]): void {
    const [first] = dots;
    if (!this.origin && first)
      this.origin = MercatorCoordinate.fromLngLat(first.at as [number, number]);
    const now = this.now();
    const data = new Float32Array(dots.length * WIDTH);
    const index = new Map<string, number>();
    dots.forEach((dot, i) => {
      index.set(dot.id, i);
      const old = this.index.get(dot.id);
      const [x, y] = this.local(dot.at);
      const o = i * WIDTH;
      if (old === undefined) data.set([x, y, x, y, now - this.glide], o);
      else {
        const q = old * WIDTH;
        const same = this.data[q + 2] === Math.fround(x) && this.data[q + 3] === Math.fround(y);
        if (same) data.set(this.data.subarray(q, q + 5), o);
        else {
          data.set([...this.seen(old, now), x, y, now], o);
          this.until = now + this.glide;
        }
      }
      data.set(rgb(dot.color), o + 5);
    });
    const mark = this.dots[this.marked]?.id;
    [this.dots, this.data, this.index, this.dirty] = [dots, data, index, true];
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
    let best: Dot | undefined;
    let least = (RADIUS + REACH) ** 2;
    for (const [i, dot] of this.dots.entries()) {
      const [x, y] = this.seen(i, now);
      const dx = ((x * scale[0] + offset[0] + 1) / 2) * width - point.x;
      const dy = ((1 - (y * scale[1] + offset[1])) / 2) * height - point.y;
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
    const draw = (radius: number, ring: number, first: number, count: number) => {
      gl.uniform1f(value('u_size'), (2 * radius + 2) * devicePixelRatio);
      gl.uniform1f(value('u_ring'), ring);
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

  private local(at: Dot['at']): [number, number] {
    const m = MercatorCoordinate.fromLngLat(at as [number, number]);
    return [m.x - (this.origin?.x ?? 0), m.y - (this.origin?.y ?? 0)];
  }

  /** Where dot i is drawn at a time, as the vertex shader reckons it. */
  private seen(i: number, now: number): [number, number] {
    const o = i * WIDTH;
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, start = 0] = this.data.subarray(o, o + 5);
    const t = Math.min(1, Math.max(0, (now - start) / this.glide));
    const s = t * t * (3 - 2 * t);
    return [x0 + (x1 - x0) * s, y0 + (y1 - y0) * s];
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

// Stands in until the first `npm run api` writes this file from api/openapi.yaml.
interface Operation {
  parameters: {
    query?: Record<string, unknown>;
    path?: Record<string, string>;
    header?: Record<string, unknown>;
    cookie?: never;
  };
  requestBody?: { content: { 'application/json': unknown } };
  // biome-ignore lint/suspicious/noExplicitAny: the generated file knows better
  responses: { 200: { headers: Record<string, unknown>; content: { 'application/json': any } } };
}
export type paths = Record<string, { get: Operation; post: Operation; delete: Operation }>;

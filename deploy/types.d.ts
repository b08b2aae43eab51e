// Comes with Miniflare, without types.
declare module 'ws';
